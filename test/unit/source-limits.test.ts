import { describe, expect, it } from 'vitest'
import { sourceLimits } from '../../src/postgres/source-limits.ts'

describe('the limits of the source database', () => {
  it('come half a minute behind our own', () => {
    expect(sourceLimits({ stallMs: 120_000, maxMs: 86_400_000 })).toEqual({
      statementMs: 270_000,
      writeMs: 150_000,
      idleMs: 150_000,
      transactionMs: 86_430_000,
    })
  })

  it('let rows rest longer where they may be taken slowly', () => {
    const limits = { stallMs: 120_000, maxMs: 86_400_000, takeMs: 3_600_000 }
    expect(sourceLimits(limits)).toEqual({
      statementMs: 3_750_000,
      writeMs: 150_000,
      idleMs: 3_630_000,
      transactionMs: 86_430_000,
    })
  })

  it('let a reader rest for longer than a batch may take', () => {
    const limits = { stallMs: 120_000, maxMs: 86_400_000, restMs: 600_000 }
    expect(sourceLimits(limits)).toMatchObject({ statementMs: 270_000, idleMs: 630_000 })
  })

  it('are numbers that PostgreSQL takes, whatever the configuration allows', () => {
    const year = 31_536_000_000
    const limits = sourceLimits({ stallMs: year, maxMs: year })
    expect(new Set(Object.values(limits))).toEqual(new Set([2_147_483_647]))
  })
})
