import { expect, inject } from 'vitest'
import type { TestSystem } from './system.ts'
import { testQueue } from './test-queue.ts'

/** What nobody may read in a message, a record or a log line. */
export function expectNoSecrets(text: string, besides: readonly string[] = []): void {
  const { DATABASE_URL, AWS_SECRET_ACCESS_KEY } = inject('stack')
  const password = decodeURIComponent(new URL(DATABASE_URL).password)
  for (const secret of [password, AWS_SECRET_ACCESS_KEY, ...besides]) {
    expect(secret.length).toBeGreaterThan(7)
    // not `not.toContain`, which would print it
    expect(text.includes(secret)).toBe(false)
  }
  expect(text).not.toMatch(/X-Amz-(Signature|Credential)|Signature=|postgres(ql)?:\/\/\w*:/i)
}

/** Looks through everything that a system keeps. */
export async function expectNothingLeaked(
  { database, logLines }: TestSystem,
  besides: readonly string[] = [],
): Promise<void> {
  expectNoSecrets(logLines.join(''), besides)
  const { rows } = await database.pool.query('select * from longhaul.exports')
  expectNoSecrets(JSON.stringify(rows), besides)
  expectNoSecrets(await testQueue(database).read(), besides)
}
