import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'

/** Parts in flight; with the one that is being filled, and the part size, what an upload holds in memory. */
const partsInFlight = 2

export interface UploadTarget {
  readonly bucket: string
  readonly key: string
  readonly contentType: string
}

/** One object, written from its beginning to its end. What it throws is the SDK's. */
export interface PartUpload {
  /** Copies the chunk; waits while too many parts are in flight. */
  write(chunk: Buffer): Promise<void>
  /** Makes the object of all that was written. */
  end(): Promise<void>
}

/** @param partBytes size of each part but the last */
export function createPartUpload(
  client: S3Client,
  { bucket, key, contentType }: UploadTarget,
  partBytes: number,
): PartUpload {
  const names = { Bucket: bucket, Key: key }
  const free: Buffer[] = []
  const inFlight = new Set<Promise<void>>()
  const sent: CompletedPart[] = []
  let part: Buffer = Buffer.allocUnsafeSlow(partBytes)
  let filled = 0
  let parts = 0
  let uploadId: string | undefined

  /** As each part has a checksum by default, the upload has to say which before it begins. */
  async function begin(): Promise<void> {
    const calculation = await client.config.requestChecksumCalculation()
    const checksum =
      calculation === 'WHEN_SUPPORTED' ? ({ ChecksumAlgorithm: 'CRC32' } as const) : {}
    const created = await client.send(
      new CreateMultipartUploadCommand({ ...names, ContentType: contentType, ...checksum }),
    )
    uploadId = created.UploadId
  }

  async function sendPart(body: Buffer, number: number): Promise<void> {
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({ ...names, UploadId: uploadId, PartNumber: number, Body: body }),
    )
    sent.push({
      PartNumber: number,
      ETag,
      ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
    })
  }

  /** Sends what is filled, and waits until there is room for more. */
  async function flush(): Promise<void> {
    if (uploadId === undefined) await begin()
    const buffer = part
    const sending = sendPart(buffer.subarray(0, filled), ++parts).then(() => {
      inFlight.delete(sending)
      free.push(buffer)
    })
    inFlight.add(sending)
    // who waits hears of it; nobody may be waiting yet
    sending.catch(() => undefined)
    while (inFlight.size > partsInFlight) await Promise.race(inFlight)
    part = free.pop() ?? Buffer.allocUnsafeSlow(partBytes)
    filled = 0
  }

  return {
    async write(chunk) {
      for (let taken = 0; taken < chunk.length;) {
        // only now is it known that it is not the last one
        if (filled === partBytes) await flush()
        const copied = chunk.copy(part, filled, taken)
        filled += copied
        taken += copied
      }
    },
    async end() {
      if (uploadId === undefined) {
        const body = part.subarray(0, filled)
        await client.send(new PutObjectCommand({ ...names, ContentType: contentType, Body: body }))
        return
      }
      if (filled > 0) await flush()
      await Promise.all(inFlight)
      const Parts = sent.sort((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
      await client.send(
        new CompleteMultipartUploadCommand({
          ...names,
          UploadId: uploadId,
          MultipartUpload: { Parts },
        }),
      )
    },
  }
}
