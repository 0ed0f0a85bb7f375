import { StoreError } from '../errors.ts'
import { untilAborted } from '../runtime/abort.ts'
import type { PartPlan } from './part-size.ts'
import { createPartUpload, type UploadTarget } from './part-upload.ts'
import type { UploadRequests } from './upload-requests.ts'

/**
 * Sends all chunks as one object, in parts where there is more than one. Chunks are copied into buffers that
 * are used again and again: lib-storage makes a new one for each part, which took a quarter of a worker's
 * processor time, and leaves as much garbage as the artifact has bytes.
 * @throws StoreError `STORE_TOO_LARGE`, what the source failed with, errors of the SDK, or the reason of the abort
 */
export async function sendParts(
  { client, stop }: UploadRequests,
  target: UploadTarget,
  chunks: AsyncIterable<Buffer>,
  plan: PartPlan,
): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]()
  const upload = createPartUpload(client, target, plan.partBytes)
  try {
    const sending = (async () => {
      let sent = 0
      for (;;) {
        const next = await iterator.next()
        stop.throwIfAborted()
        if (next.done === true) break
        sent += next.value.length
        if (sent > plan.maxBytes) throw outgrown(target.key, plan)
        await upload.write(next.value)
      }
      await upload.end()
    })()
    // a source that does not hear the signal must not hold us up: nothing can be sent any more
    await untilAborted(sending, stop)
  } catch (error) {
    // nobody waits for a source that does not end
    void iterator.return?.().catch(() => undefined)
    throw stop.aborted ? stop.reason : error
  }
}

const outgrown = (key: string, { maxBytes }: PartPlan) =>
  new StoreError(
    'STORE_TOO_LARGE',
    `${key} grows beyond ${maxBytes} bytes: 10,000 parts of the size that was planned for it.`,
    { hint: 'Export a shorter range.' },
  )
