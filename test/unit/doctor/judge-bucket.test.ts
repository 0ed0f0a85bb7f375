import { describe, expect, it } from 'vitest'
import {
  judgeCredentials,
  judgeLink,
  judgeRemoved,
  judgeStored,
} from '../../../src/doctor/judge-bucket.ts'
import { judgeLifecycle } from '../../../src/doctor/judge-lifecycle.ts'
import type { FetchedLink, LifecycleRule } from '../../../src/doctor/ports.ts'

describe('credentials', () => {
  const now = new Date('2026-01-01T00:00:00Z')
  const judge = (seconds: number | undefined) =>
    judgeCredentials(
      { expiresAt: seconds === undefined ? undefined : new Date(now.getTime() + seconds * 1000) },
      { linkTtlSeconds: 3600 },
      now,
    ).state

  it('should outlive the links that they sign', () => {
    expect([undefined, 3600, 3599].map(judge)).toEqual(['ok', 'ok', 'warning'])
  })
})

describe('a stored object', () => {
  it('must be there at once, and as it was asked for', () => {
    const asked = { S3_ENCRYPTION: 'AES256', S3_STORAGE_CLASS: undefined }
    const stored = (encryption?: string) => ({
      whole: true,
      settings: { S3_ENCRYPTION: encryption },
    })
    expect(judgeStored(undefined, { settings: {} }).state).toBe('problem')
    expect(judgeStored({ ...stored(), whole: false }, { settings: {} }).state).toBe('problem')
    expect(judgeStored(stored('AES256'), { settings: asked }).state).toBe('ok')
    expect(judgeStored(stored(), { settings: { S3_STORAGE_CLASS: 'STANDARD' } }).state).toBe('ok')
    expect(judgeStored(stored(), { settings: asked })).toMatchObject({
      ...{ state: 'warning', found: expect.stringContaining('S3_ENCRYPTION') as string },
    })
  })

  it('that is kept as an old version is told', () => {
    expect(judgeRemoved({ keepsVersions: false }).state).toBe('ok')
    expect(judgeRemoved({ keepsVersions: true }).state).toBe('warning')
  })
})

describe('a link', () => {
  const judge = (fetched: FetchedLink | { unreachable: string }, otherLinkAddress = false) =>
    judgeLink(fetched, 'https://store', { otherLinkAddress }).state

  it('must lead to the bytes, and should to a part of them', () => {
    expect(judge({ statuses: [200, 206], same: true })).toBe('ok')
    expect(judge({ statuses: [200, 200], same: true })).toBe('warning')
    expect(judge({ statuses: [200, 206], same: false })).toBe('problem')
    expect(judge({ statuses: [403, 403], same: false })).toBe('problem')
  })

  it('that nobody answers may be for others only', () => {
    expect(judge({ unreachable: 'ECONNREFUSED' })).toBe('problem')
    expect(judge({ unreachable: 'ECONNREFUSED' }, true)).toBe('warning')
  })
})

describe('lifecycle rules', () => {
  const use = { folder: 'p/exports/', maxSeconds: 86_400, artifactTtlDays: 7 }
  const rule = (facts: Partial<LifecycleRule>): LifecycleRule => ({
    ...{ id: 'r', prefix: '', partial: false, abortUploadsDays: 3, expireDays: undefined },
    ...facts,
  })
  const judge = (rules: readonly LifecycleRule[] | undefined) =>
    judgeLifecycle(rules, use).map(({ state }) => state)

  it('should abort what was never completed', () => {
    expect(judge(undefined)).toEqual(['skipped'])
    expect(judge([rule({})])).toEqual(['ok'])
    expect(judge([rule({ prefix: 'p/exports/' })])).toEqual(['ok'])
    expect(judge([])).toEqual(['warning'])
    expect(judge([rule({ prefix: 'p/exports/a' })])).toEqual(['warning'])
    expect(judge([rule({ partial: true })])).toEqual(['warning'])
    expect(judge([rule({ abortUploadsDays: undefined })])).toEqual(['warning'])
  })

  it('must not take away what is needed', () => {
    expect(judge([rule({ abortUploadsDays: 1 })])).toEqual(['ok'])
    expect(judge([rule({ expireDays: 8 })])).toEqual(['ok'])
    expect(judge([rule({ expireDays: 7 })])).toEqual(['ok', 'warning'])
    expect(judge([rule({}), rule({ prefix: 'p/exports/a', expireDays: 1 })])).toEqual([
      'ok',
      'warning',
    ])
    expect(judge([rule({}), rule({ prefix: 'other/', expireDays: 1 })])).toEqual(['ok'])
    expect(judgeLifecycle([rule({})], { ...use, maxSeconds: 4 * 86_400 })).toMatchObject([
      { state: 'ok' },
      { state: 'warning', found: expect.stringContaining('aborts uploads after 3 days') as string },
    ])
  })
})
