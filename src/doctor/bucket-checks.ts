import type { Clock } from '../runtime/clock.ts'
import { ok } from './finding.ts'
import {
  judgeCredentials,
  judgeLink,
  judgeRemoved,
  judgeStored,
  type BucketUse,
} from './judge-bucket.ts'
import { judgeClock } from './judge-clock.ts'
import { judgeLifecycle } from './judge-lifecycle.ts'
import type { BucketInspection } from './bucket-ports.ts'
import { probeChecks } from './probe-checks.ts'
import type { Check } from './run-checks.ts'

export const bucketPart = 'bucket'

/** Stores refuse requests whose time is a quarter of an hour off; Date has whole seconds. */
const tolerance = {
  ...{ toleratedMs: 60_000, coarseMs: 1000 },
  consequence: 'a store refuses requests and links whose time is a quarter of an hour off',
}

/**
 * One object is put, looked at, fetched by a link and removed, one upload begun and aborted: what exports do. What is
 * left of them by a failure is removed by `close` of the inspection.
 */
export function bucketChecks(
  bucket: BucketInspection,
  use: BucketUse,
  clock: Clock,
): readonly Check[] {
  const step = (name: string, needs: readonly string[], look: Check['look']): Check => ({
    part: bucketPart,
    name,
    needs,
    look,
  })
  const { list, put, uploads } = probeChecks(bucketPart, bucket, use.folder, 'answer')
  return [
    step('credentials', [], async (asking) =>
      judgeCredentials(await bucket.credentials(asking), use, clock.now()),
    ),
    step('answer', ['credentials'], async (asking) => {
      const reading = await bucket.answer(asking)
      const verdict = judgeClock(reading === undefined ? [] : [reading], tolerance)
      const answered = ok(`${bucket.place} answers`)
      return [answered, verdict]
    }),
    list,
    step('list uploads', ['answer'], async (asking) => {
      await bucket.listUploads(asking)
      return ok('open uploads can be listed')
    }),
    put,
    step('stat', ['put'], async (asking) => judgeStored(await bucket.stat(asking), use)),
    step('link', ['put'], async (asking) =>
      judgeLink(await bucket.fetchLink(asking), bucket.linkPlace, use),
    ),
    step('delete', ['put'], async (asking) => judgeRemoved(await bucket.remove(asking))),
    ...uploads,
    step('lifecycle', ['answer'], async (asking) =>
      judgeLifecycle(await bucket.lifecycle(asking), use),
    ),
  ]
}
