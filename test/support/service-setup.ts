import { createTestBucket, type TestBucket } from './bucket.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import type { Release } from './release.ts'
import { serviceEnvironment } from './run-cli.ts'

export interface ServiceSetup {
  readonly database: TestDatabase
  readonly bucket: TestBucket
  /** What makes `serve`, `worker` and `migrate` work on the two. */
  readonly env: Readonly<Record<string, string>>
}

/** A database and a bucket for processes that a test starts by itself. */
export async function createServiceSetup(
  release: Release,
  variables: Readonly<Record<string, string>> = {},
): Promise<ServiceSetup> {
  const database = await createTestDatabase(release)
  const bucket = await createTestBucket(release)
  return { database, bucket, env: { ...serviceEnvironment({ database, bucket }), ...variables } }
}
