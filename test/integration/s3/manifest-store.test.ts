import { expect, it, onTestFinished } from 'vitest'
import { createManifestStore } from '../../../src/s3/manifest-store.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'

describeOnS3('a store of manifests', (endpoint) => {
  async function setup() {
    const { client, settings } = await createTestBucket(onTestFinished, await endpoint())
    return { store: createManifestStore(client, settings.bucket), client }
  }

  it('gives back what was put, and nothing where nothing is', async () => {
    const { store } = await setup()
    expect(await store.get('a/_manifests/1.json')).toBeUndefined()
    await store.putOnce('a/_manifests/1.json', '{"window":"Œ"}\n')
    expect(await store.get('a/_manifests/1.json')).toBe('{"window":"Œ"}\n')
  })

  it('leaves what is there as it is', async () => {
    const { store } = await setup()
    await store.putOnce('a.json', 'first')
    await store.putOnce('a.json', 'second')
    expect(await store.get('a.json')).toBe('first')
  })

  it('says that there is no bucket, rather than that there is no manifest', async () => {
    const { client } = await setup()
    const elsewhere = createManifestStore(client, 'longhaul-no-such-bucket')
    await expect(elsewhere.get('a.json')).rejects.toMatchObject({ code: 'STORE_NO_BUCKET' })
  })
})
