import { join } from 'node:path'
import { StackError } from '../errors.ts'
import { freePort } from './free-port.ts'
import { openLogFile, type LogFile } from './log-file.ts'
import { findPostgresBinaries, type BinariesSource } from './postgres-binaries.ts'
import { ensureCluster, POSTGRES_NAME } from './postgres-cluster.ts'
import { openPostgresHome, removeUnfinished } from './postgres-home.ts'
import {
  launchPostmaster,
  waitUntilReady,
  type Postmaster,
  type PostmasterOptions,
} from './postmaster.ts'
import { stopStalePostgres } from './stale-postgres.ts'

const READY_TIMEOUT_MS = 60_000
const PORT_TRIES = 5

export interface PostgresOptions {
  /** A data folder that this process has locked. */
  readonly dataDir: string
  /** Of the superuser; a password of the first start, the same ever after. */
  readonly password: string
  /** Taken if it is free. */
  readonly preferredPort?: number | undefined
  /** False: faster, but a crash of the machine may lose the database. */
  readonly durable: boolean
  readonly binaries?: BinariesSource | undefined
  readonly log: (line: string) => void
}

export interface PostgresServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** For example `18.4`. */
  readonly version: string
  /** Resolves when the server ends without having been asked to; never rejects. */
  readonly failed: Promise<StackError>
  /** Idempotent; resolves when the process is gone. */
  stop(): Promise<void>
}

/**
 * Starts a PostgreSQL of our own on loopback, making its database the first time: superuser and database
 * `longhaul`, builtin C.UTF-8, scram. Resolves when it accepts connections; what it says goes to
 * `<dataDir>/postgres.log`. Throws StackError with what went wrong, and leaves nothing running.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { dataDir, password, durable, log } = options
  const home = await openPostgresHome(dataDir, log)
  await stopStalePostgres(home, log)
  await removeUnfinished(home)
  const binaries = await findPostgresBinaries(home, options.binaries)
  await ensureCluster(home, binaries, { password, durable })

  for (let tries = 1; ; tries += 1) {
    const port = await freePort(tries === 1 ? options.preferredPort : undefined)
    const logFile = openLogFile(join(dataDir, 'postgres.log'))
    try {
      const launch = { home, postgres: binaries.postgres, port, durable, log: logFile }
      const postmaster = await startPostmaster(launch, tries < PORT_TRIES)
      if (postmaster === undefined) continue
      return {
        url: `postgres://${POSTGRES_NAME}:${password}@127.0.0.1:${port}/${POSTGRES_NAME}`,
        port,
        version: binaries.version,
        ...withFailure(postmaster, logFile),
      }
    } finally {
      logFile.close()
    }
  }
}

/** Undefined when somebody took the port first and the caller may try another. */
async function startPostmaster(
  options: PostmasterOptions,
  mayTryAgain: boolean,
): Promise<Postmaster | undefined> {
  const postmaster = await launchPostmaster(options)
  const problem = await waitUntilReady(postmaster, options, READY_TIMEOUT_MS)
  if (problem === undefined) return postmaster
  await postmaster.stop()
  const tail = await options.log.tail()
  if (mayTryAgain && tail.includes('Address already in use')) return undefined
  throw new StackError(`The embedded PostgreSQL ${problem}. It said last:\n${tail}`, {
    hint: `Look into ${options.log.path}; deleting the data folder starts with an empty database.`,
  })
}

function withFailure(postmaster: Postmaster, logFile: LogFile) {
  let stopping = false
  const failed = new Promise<StackError>((resolve) => {
    void postmaster.ended.then(async (how) => {
      if (stopping) return
      const tail = await logFile.tail().catch(() => '')
      resolve(
        new StackError(`The embedded PostgreSQL ${how}. It said last:\n${tail}`, {
          hint: `Look into ${logFile.path}, and start again: its data is kept.`,
        }),
      )
    })
  })
  const stop = () => {
    stopping = true
    return postmaster.stop()
  }
  return { pid: postmaster.pid, failed, stop }
}
