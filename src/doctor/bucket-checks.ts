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
import type { BucketInspection } from './ports.ts'
import type { Check } from './run-checks.ts'

const part = 'bucket'

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
    part,
    name,
    needs,
    look,
  })
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
    step('list', ['answer'], async (asking) => {
      await bucket.list(asking)
      return ok(`objects below ${use.folder} can be listed`)
    }),
    step('list uploads', ['answer'], async (asking) => {
      await bucket.listUploads(asking)
      return ok('open uploads can be listed')
    }),
    step('put', ['answer'], async (asking) => {
      await bucket.put(asking)
      return ok('an object can be stored')
    }),
    step('stat', ['put'], async (asking) => judgeStored(await bucket.stat(asking), use)),
    step('link', ['put'], async (asking) =>
      judgeLink(await bucket.fetchLink(asking), bucket.linkPlace, use),
    ),
    step('delete', ['put'], async (asking) => judgeRemoved(await bucket.remove(asking))),
    step('begin upload', ['answer'], async (asking) => {
      await bucket.createUpload(asking)
      return ok('an upload in parts can be begun')
    }),
    step('send part', ['begin upload'], async (asking) => {
      await bucket.sendPart(asking)
      return ok('a part can be sent')
    }),
    step('abort upload', ['begin upload'], async (asking) => {
      await bucket.abortUpload(asking)
      return ok('the upload can be aborted')
    }),
    step('lifecycle', ['answer'], async (asking) =>
      judgeLifecycle(await bucket.lifecycle(asking), use),
    ),
  ]
}
