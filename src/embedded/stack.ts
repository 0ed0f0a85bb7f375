import { ExportError, StackError } from '../errors.ts'
import { loadCredentials, loadPorts, openDataFolder, savePorts } from './data-folder.ts'
import type { BinariesSource } from './postgres-binaries.ts'
import { startPostgres } from './postgres.ts'
import { startS3Process } from './s3-process.ts'
import { acquireStackLock, type StackLock } from './stack-lock.ts'

const BUCKET = 'longhaul'
const REGION = 'us-east-1'

export interface StackOptions {
  /** Everything is kept in here: data, credentials, logs. Made if there is none. */
  readonly dataDir: string
  /** Default true. False: faster, but a crash of the machine may lose the database. */
  readonly durable?: boolean
  /** Default `any`: the npm package, else what the system has. */
  readonly binaries?: BinariesSource | undefined
  /** Told of what is out of the ordinary, in whole sentences. */
  readonly log?: (line: string) => void
}

/** What makes Longhaul, or any other program, use the stack: variables of its environment. */
export interface StackValues {
  readonly DATABASE_URL: string
  readonly S3_BUCKET: string
  readonly S3_ENDPOINT: string
  readonly S3_REGION: string
  readonly S3_FORCE_PATH_STYLE: string
  readonly AWS_ACCESS_KEY_ID: string
  readonly AWS_SECRET_ACCESS_KEY: string
}

export interface Stack {
  readonly values: StackValues
  readonly postgresPid: number
  readonly postgresVersion: string
  readonly s3Pid: number
  /** Resolves when a part ends without having been asked to; the rest still runs. Never rejects. */
  readonly failed: Promise<StackError>
  /** Stops both parts and gives the folder free. Idempotent; resolves when the processes are gone. */
  stop(): Promise<void>
}

/**
 * Starts a real PostgreSQL and an S3 server on loopback, as children of this process, for trying out and
 * testing. Data, credentials and, where they are still free, ports survive a restart. Whatever becomes of
 * this process, the children end with it.
 *
 * Throws StackError when the folder is in use or a part does not start; then nothing is left running.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  try {
    const dataDir = await openDataFolder(options.dataDir)
    const lock = await acquireStackLock(dataDir)
    try {
      return await startParts(dataDir, lock, options)
    } catch (error) {
      await lock.release()
      throw error
    }
  } catch (error) {
    throw asStackError(error, options.dataDir)
  }
}

async function startParts(dataDir: string, lock: StackLock, options: StackOptions): Promise<Stack> {
  const { durable = true, binaries, log = () => undefined } = options
  const { postgresPassword, ...keys } = await loadCredentials(dataDir)
  const ports = await loadPorts(dataDir)
  const [postgres, s3] = await startBoth(
    startPostgres({
      dataDir,
      password: postgresPassword,
      preferredPort: ports.postgres,
      durable,
      binaries,
      log,
    }),
    startS3Process({
      dataDir,
      preferredPort: ports.s3,
      region: REGION,
      buckets: [BUCKET],
      ...keys,
    }),
  )
  const stop = async () => {
    await Promise.all([postgres.stop(), s3.stop()])
    await lock.release()
  }
  try {
    await savePorts(dataDir, { postgres: postgres.port, s3: s3.port })
  } catch (error) {
    await stop()
    throw error
  }
  let stopped: Promise<void> | undefined
  return {
    values: {
      DATABASE_URL: postgres.url,
      S3_BUCKET: BUCKET,
      S3_ENDPOINT: s3.endpoint,
      S3_REGION: REGION,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    },
    postgresPid: postgres.pid,
    postgresVersion: postgres.version,
    s3Pid: s3.pid,
    failed: Promise.race([postgres.failed, s3.failed]),
    stop: () => (stopped ??= stop()),
  }
}

/** Both, or neither: when one does not start, the other is stopped before its error is thrown. */
async function startBoth<A extends Stoppable, B extends Stoppable>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  try {
    return await Promise.all([first, second])
  } catch (error) {
    for (const started of await Promise.allSettled([first, second])) {
      if (started.status === 'fulfilled') await started.value.stop()
    }
    throw error
  }
}

interface Stoppable {
  stop(): Promise<void>
}

/** What the operating system says of the folder (no space, read-only, no permission) is for the user too. */
function asStackError(error: unknown, dataDir: string): unknown {
  if (error instanceof ExportError || !(error instanceof Error) || !('syscall' in error))
    return error
  return new StackError(`The embedded stack cannot be kept in ${dataDir}: ${error.message}`, {
    hint: 'Make the folder writable and free some space, or choose another data folder.',
    cause: error,
  })
}
