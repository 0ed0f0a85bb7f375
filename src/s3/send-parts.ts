import { Readable } from 'node:stream'
import { Upload } from '@aws-sdk/lib-storage'
import { StoreError } from '../errors.ts'
import { untilAborted } from '../runtime/abort.ts'
import type { PartPlan } from './part-size.ts'
import type { UploadRequests } from './upload-requests.ts'

/** Parts in flight: with the part size, what an upload holds in memory. */
const partsInFlight = 2

export interface PartsTarget {
  readonly bucket: string
  readonly key: string
  readonly contentType: string
}

/**
 * Sends all chunks as one object, in parts where there is more than one.
 * @throws StoreError `STORE_TOO_LARGE`, what the source failed with, errors of the SDK, or the reason of the abort
 */
export async function sendParts(
  { client, stop }: UploadRequests,
  { bucket, key, contentType }: PartsTarget,
  chunks: AsyncIterable<Buffer>,
  plan: PartPlan,
): Promise<void> {
  async function* bounded() {
    let sent = 0
    for await (const chunk of chunks) {
      stop.throwIfAborted()
      sent += chunk.length
      if (sent > plan.maxBytes) throw outgrown(key, plan)
      yield chunk
    }
  }
  const body = Readable.from(bounded(), { objectMode: false })
  try {
    const uploading = new Upload({
      client,
      params: { Bucket: bucket, Key: key, Body: body, ContentType: contentType },
      partSize: plan.partBytes,
      queueSize: partsInFlight,
      // cleaned up by key instead, which also finds an upload whose id was never learnt
      leavePartsOnError: true,
    })
    // a source that does not hear the signal must not hold us up: nothing can be sent any more
    await untilAborted(uploading.done(), stop)
  } catch (error) {
    throw stop.aborted ? stop.reason : error
  } finally {
    body.destroy()
  }
}

const outgrown = (key: string, { maxBytes }: PartPlan) =>
  new StoreError(
    'STORE_TOO_LARGE',
    `${key} grows beyond ${maxBytes} bytes: 10,000 parts of the size that was planned for it.`,
    { hint: 'Export a shorter range.' },
  )
