import { ok } from './finding.ts'
import type { BucketInspection } from './bucket-ports.ts'
import type { Asking } from './ports.ts'
import type { Check } from './run-checks.ts'

/**
 * Whether objects below a folder can be listed, one be put there, and an upload begun and aborted: rights may be
 * given for each folder by itself.
 * @param answer the check that found the store to answer
 */
export function probeChecks(
  part: string,
  bucket: BucketInspection,
  folder: string,
  answer: string,
): { readonly list: Check; readonly put: Check; readonly uploads: readonly Check[] } {
  const able = (
    name: string,
    needs: string,
    found: string,
    act: (asking: Asking) => Promise<void>,
  ): Check => ({
    ...{ part, name, needs: [needs] },
    async look(asking) {
      await act(asking)
      return ok(found)
    },
  })
  return {
    list: able('list', answer, `objects below ${folder} can be listed`, (asking) =>
      bucket.list(asking),
    ),
    put: able('put', answer, 'an object can be stored', (asking) => bucket.put(asking)),
    uploads: [
      able('begin upload', answer, 'an upload in parts can be begun', (asking) =>
        bucket.createUpload(asking),
      ),
      able('send part', 'begin upload', 'a part can be sent', (asking) => bucket.sendPart(asking)),
      able('abort upload', 'begin upload', 'the upload can be aborted', (asking) =>
        bucket.abortUpload(asking),
      ),
    ],
  }
}
