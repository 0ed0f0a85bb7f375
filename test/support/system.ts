import { inject } from 'vitest'
import { createClient, type Client } from '../../src/client/client.ts'
import { startServer } from '../../src/compose.ts'
import { startExportWorker } from '../../src/compose-worker.ts'
import { parseConfig, type Config } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { createTestBucket, type TestBucket } from './bucket.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import type { Release } from './release.ts'
import { testQueue } from './test-queue.ts'

export interface TestSystem {
  readonly url: string
  readonly client: Client
  readonly config: Config
  readonly database: TestDatabase
  readonly bucket: TestBucket
  /** What server and worker logged, a JSON line an event. */
  readonly logLines: readonly string[]
  /** Before the test ends; otherwise that stops it. */
  stopServer(): Promise<void>
}

export interface TestSystemOptions {
  /** Variables besides, or instead of, those of the test stack. */
  readonly environment?: Readonly<Record<string, string>>
  /** Default true. */
  readonly worker?: boolean
  /** Default: the embedded S3. */
  readonly s3Endpoint?: string
}

/** The ordinary server and worker, through compose.ts, on a database and a bucket of their own. */
export async function startTestSystem(
  release: Release,
  { environment = {}, worker = true, s3Endpoint }: TestSystemOptions = {},
): Promise<TestSystem> {
  const database = await createTestDatabase(release)
  const bucket = await createTestBucket(release, s3Endpoint)
  const config = parseConfig({
    ...inject('stack'),
    DATABASE_URL: database.url,
    S3_ENDPOINT: bucket.settings.endpoint,
    S3_BUCKET: bucket.settings.bucket,
    PORT: '0',
    ...testQueue(database).variables,
    SHUTDOWN_GRACE_SECONDS: '0',
    ...environment,
  })
  const logLines: string[] = []
  const logger = createLogger(
    { level: 'debug' },
    { write: (line: string) => void logLines.push(line) },
  )
  const server = await startServer(config, logger)
  release(() => server.stop())
  if (worker) {
    const service = await startExportWorker(config, logger)
    release(() => service.stop())
  }
  return {
    url: server.url,
    client: createClient({ url: server.url }),
    config,
    database,
    bucket,
    logLines,
    stopServer: () => server.stop(),
  }
}
