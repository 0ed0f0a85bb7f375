import { join } from 'node:path'
import { pino } from 'pino'
import { startServer } from '../compose.ts'
import { startExportWorker } from '../compose-worker.ts'
import { exposeToAwsSdk, parseConfig, type Environment } from '../config.ts'
import { writeStackEnv, removeStackEnv } from '../embedded/stack-env.ts'
import { startStack, type Stack } from '../embedded/stack.ts'
import type { StackError } from '../errors.ts'
import { createLogger } from '../logger.ts'
import { migrate } from '../postgres/migrate.ts'
import { withResources } from '../runtime/resources.ts'

export interface LocalSystem {
  /** Of the server. */
  readonly url: string
  readonly databaseUrl: string
  readonly postgresVersion: string
  readonly logFile: string
  /** Resolves when a part of the stack ends without having been asked to. */
  readonly failed: Promise<StackError>
  /** Worker, server, then the stack. Safe to call again. */
  stop(): Promise<void>
}

export interface LocalSystemOptions {
  /** Everything is kept in here. */
  readonly dataDir: string
  readonly environment: Environment
  /** Told of each step, in whole sentences. */
  readonly log: (line: string) => void
}

/** Variables that would lead the AWS SDK, or us, away from the embedded stack. */
const foreign = {
  SOURCE_DATABASE_URL: undefined,
  REDIS_URL: undefined,
  REDIS_PREFIX: undefined,
  REDIS_CLUSTER: undefined,
  REDIS_SENTINELS: undefined,
  REDIS_SENTINEL_MASTER: undefined,
  S3_PREFIX: undefined,
  S3_ENCRYPTION: undefined,
  S3_KMS_KEY_ID: undefined,
  S3_TAGS: undefined,
  S3_STORAGE_CLASS: undefined,
  S3_BUCKET_OWNER: undefined,
  S3_LINK_ENDPOINT: undefined,
  AWS_PROFILE: undefined,
  AWS_SESSION_TOKEN: undefined,
}

/**
 * Starts the embedded stack, and against it the ordinary server and worker. The connection values
 * are in `stack.env` of the data folder for as long as it runs.
 * @throws StackError, ConfigError, SourceError, QueueError
 */
export const startLocalSystem = ({
  dataDir,
  environment,
  log,
}: LocalSystemOptions): Promise<LocalSystem> =>
  withResources(async (resources) => {
    const logFile = join(dataDir, 'longhaul.log')
    log('Starting PostgreSQL and an S3 server (for trying out, never for production) …')
    const stack = resources.add(await startStack({ dataDir, log }), (started) => started.stop())
    await migrate(stack.values.DATABASE_URL, { referenceSchema: true })

    const { PORT = '0', WORKER_PORT = '0' } = environment
    const values = { ...environment, ...foreign, ...stack.values, PORT, WORKER_PORT }
    const config = parseConfig(values)
    exposeToAwsSdk(values)
    const destination = pino.destination({ dest: logFile, mkdir: true, sync: true })
    const logger = createLogger({ level: config.logLevel }, destination)
    resources.add(destination, (file) => file.end())

    const server = resources.add(await startServer(config, logger), (service) => service.stop())
    resources.add(await startExportWorker(config, logger), (service) => service.stop())
    await writeStackEnv(dataDir, stackEnv(stack, server.url))
    resources.add(dataDir, removeStackEnv)
    return {
      url: server.url,
      databaseUrl: stack.values.DATABASE_URL,
      postgresVersion: stack.postgresVersion,
      logFile,
      failed: stack.failed,
      stop: () => resources.release(),
    }
  })

/** Lets it run until somebody asks it to stop. @throws StackError when a part of the stack ends before */
export async function runUntil(
  stopRequested: Promise<void>,
  { failed }: LocalSystem,
): Promise<void> {
  const failure = await Promise.race([stopRequested, failed])
  if (failure !== undefined) throw failure
}

/** For a second terminal: what Longhaul reads, and what psql and S3 clients read. */
const stackEnv = ({ values }: Stack, url: string) => ({
  ...values,
  AWS_REGION: values.S3_REGION,
  AWS_ENDPOINT_URL_S3: values.S3_ENDPOINT,
  LONGHAUL_URL: url,
})
