import { GetObjectCommand } from '@aws-sdk/client-s3'
import type { TestSystem } from './system.ts'

/** What tests look at of a manifest. */
export interface ManifestFacts {
  readonly archive: string
  readonly window: string
  readonly generation: number
  readonly time_from: string
  readonly time_to: string
  readonly export_id: string
  readonly artifact: {
    readonly key: string
    readonly rows: number
    readonly bytes: number
    readonly sha256: string
    readonly raw_sha256: string
  }
}

type Bucket = Pick<TestSystem, 'bucket'>

export async function readObject({ bucket }: Bucket, Key: string): Promise<Buffer> {
  const request = new GetObjectCommand({ Bucket: bucket.settings.bucket, Key })
  const { Body } = await bucket.client.send(request)
  return Buffer.from(await Body!.transformToByteArray())
}

export const keysWith = async ({ bucket }: Bucket, text: string): Promise<readonly string[]> =>
  (await bucket.keys()).filter((key) => key.includes(text))

/** All manifests, by key. */
export async function readManifests(system: Bucket): Promise<readonly ManifestFacts[]> {
  const keys = await keysWith(system, '/_manifests/')
  const bodies = await Promise.all([...keys].sort().map((key) => readObject(system, key)))
  return bodies.map((body) => JSON.parse(String(body)) as ManifestFacts)
}
