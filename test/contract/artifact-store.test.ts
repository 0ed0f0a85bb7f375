import { createArtifactStore } from '../../src/s3/artifact-store.ts'
import { createTestBucket } from '../support/bucket.ts'
import { describeOnS3 } from '../support/describe-on-s3.ts'
import { createMemoryArtifactStore } from '../support/memory-artifact-store.ts'
import { describeArtifactStore } from './artifact-store-contract.ts'

describeArtifactStore('artifacts in memory', () => {
  const store = createMemoryArtifactStore()
  return { store, leftovers: () => Promise.resolve([...store.objects.keys()]) }
})

describeOnS3('artifacts', (endpoint) => {
  describeArtifactStore('in a bucket', async (release) => {
    const bucket = await createTestBucket(release, await endpoint())
    return {
      store: createArtifactStore({ client: bucket.client, bucket: bucket.settings.bucket }),
      leftovers: async () => [...(await bucket.keys()), ...(await bucket.openUploads())],
    }
  })
})
