import { loadCredentials, openDataFolder } from '../../src/embedded/data-folder.ts'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { startS3Process } from '../../src/embedded/s3-process.ts'
import type { Resources } from '../../src/runtime/resources.ts'
import {
  createKillableServer,
  type KillableServer,
  type KillableServerOptions,
} from './killable-server.ts'

export interface KillableStore extends KillableServer {
  /** Of the real server, past any proxy. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** An S3 server that can be killed, and started again with its objects and on its port. */
export async function createKillableStore(
  resources: Resources,
  { name, folder, port, onDeath }: KillableServerOptions,
): Promise<KillableStore> {
  const dataDir = resources.add(await openDataFolder(folder), removeStackData)
  const { accessKeyId, secretAccessKey } = await loadCredentials(dataDir)
  const [region, bucket] = ['us-east-1', 'exports']
  const keys = { accessKeyId, secretAccessKey }
  const server = await createKillableServer(resources, { name, port, onDeath }, () =>
    startS3Process({ dataDir, preferredPort: port, region, buckets: [bucket], ...keys }),
  )
  return {
    ...server,
    endpoint: `http://127.0.0.1:${port}`,
    ...{ region, bucket, ...keys },
  }
}
