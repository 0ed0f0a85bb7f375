import { loadCredentials, openDataFolder } from '../../src/embedded/data-folder.ts'
import { waitUntilGone } from '../../src/embedded/processes.ts'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { startS3Process, type S3Process } from '../../src/embedded/s3-process.ts'
import type { Resources } from '../../src/runtime/resources.ts'
import type { Part } from './part.ts'

export interface StorePart extends Part {
  /** Of the real server, past any proxy. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface StorePartOptions {
  readonly name: string
  readonly folder: string
  readonly port: number
  readonly onDeath: (how: string) => void
}

/** An S3 server that can be killed, and started again with its objects and on its port. */
export async function createStorePart(
  resources: Resources,
  { name, folder, port, onDeath }: StorePartOptions,
): Promise<StorePart> {
  const dataDir = resources.add(await openDataFolder(folder), removeStackData)
  const { accessKeyId, secretAccessKey } = await loadCredentials(dataDir)
  const [region, bucket] = ['us-east-1', 'torture']
  let server: S3Process | undefined

  async function start(): Promise<void> {
    const keys = { accessKeyId, secretAccessKey }
    const options = { dataDir, preferredPort: port, region, buckets: [bucket], ...keys }
    const started = await startS3Process(options)
    if (started.port !== port) throw new TypeError(`${name}: port ${port} was taken`)
    server = started
    void started.failed.then(({ message }) => {
      if (server === started) onDeath(message)
    })
  }

  await start()
  resources.add(undefined, () => server?.stop())
  return {
    name,
    endpoint: `http://127.0.0.1:${port}`,
    ...{ region, bucket, accessKeyId, secretAccessKey },
    start,
    isUp: () => server !== undefined,
    async kill() {
      const killed = server
      server = undefined
      if (killed === undefined) return
      process.kill(killed.pid, 'SIGKILL')
      await waitUntilGone([killed.pid], 10_000)
    },
  }
}
