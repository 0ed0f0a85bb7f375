import { expect, inject } from 'vitest'
import { diagnose, type DiagnoseOptions } from '../../../src/compose-doctor.ts'
import { parseConfig } from '../../../src/config.ts'
import type { Finding, FindingState } from '../../../src/doctor/finding.ts'
import { createTestBucket, type TestBucket } from '../../support/bucket.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import type { Release } from '../../support/release.ts'
import { expectNoSecrets } from '../../support/secrets.ts'

export interface Diagnosis {
  readonly findings: readonly Finding[]
  /** Those of one check, such as `bucket.put`. */
  readonly of: (check: string) => readonly Finding[]
  /** The checks with such findings, each once. */
  readonly checks: (state: FindingState) => readonly string[]
}

export interface Patient {
  readonly database: TestDatabase
  readonly bucket: TestBucket
  /** Expects, too, that no secret is told. */
  readonly diagnose: (
    variables?: Readonly<Record<string, string>>,
    options?: Partial<DiagnoseOptions> & { readonly secrets?: readonly string[] },
  ) => Promise<Diagnosis>
}

/** A database and a bucket that are well. */
export async function createPatient(
  release: Release,
  options: { readonly s3Endpoint?: string } = {},
): Promise<Patient> {
  const database = await createTestDatabase(release)
  const bucket = await createTestBucket(release, options.s3Endpoint)
  return {
    database,
    bucket,
    async diagnose(variables = {}, { secrets = [], ...given } = {}) {
      const config = parseConfig({
        ...inject('stack'),
        DATABASE_URL: database.url,
        S3_ENDPOINT: bucket.settings.endpoint,
        S3_BUCKET: bucket.settings.bucket,
        ...{ PORT: '0', ...variables },
      })
      const signal = new AbortController().signal
      const findings = await diagnose(config, { signal, ...given })
      expectNoSecrets(JSON.stringify(findings), secrets)
      return {
        findings,
        of: (check) => findings.filter((each) => `${each.part}.${each.check}` === check),
        checks: (state) => {
          const found = findings.filter((each) => each.state === state)
          return [...new Set(found.map((each) => `${each.part}.${each.check}`))]
        },
      }
    },
  }
}

/** What a finding is expected to say, and what to do about it. */
export const saying = (state: FindingState, found: RegExp, advice?: RegExp): Finding =>
  expect.objectContaining({
    state,
    found: expect.stringMatching(found) as string,
    ...(advice === undefined ? {} : { advice: expect.stringMatching(advice) as string }),
  }) as Finding
