import { describe, expect, it } from 'vitest'
import {
  judgeCopied,
  judgeCredentials,
  judgeLink,
  judgeRemoved,
  judgeStored,
} from '../../../src/doctor/judge-bucket.ts'
import { judgeArchiveLifecycle, judgeLifecycle } from '../../../src/doctor/judge-lifecycle.ts'
import type { FetchedLink, LifecycleRule } from '../../../src/doctor/bucket-ports.ts'

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

  it('must be as it was where the store has copied it', () => {
    expect(
      (['whole', 'damaged', 'impossible'] as const).map((each) => judgeCopied(each).state),
    ).toEqual(['ok', 'problem', 'problem'])
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

const rule = (facts: Partial<LifecycleRule>): LifecycleRule => ({
  ...{ id: 'r', prefix: '', partial: false, abortUploadsDays: 3 },
  ...{ expireDays: undefined, expireDate: undefined },
  ...facts,
})

describe('lifecycle rules', () => {
  const use = { folder: 'p/exports/', maxSeconds: 86_400, artifactTtlDays: 7 }
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
    expect(judge([rule({ expireDate: '2999-01-01' })])).toEqual(['ok', 'warning'])
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

describe('lifecycle rules, for archives', () => {
  const use = { folder: 'p/archive/', names: ['services', 'calls'] }
  const judge = (...rules: readonly LifecycleRule[]) =>
    judgeArchiveLifecycle(rules, use).map(({ state, found }) => `${state}: ${found}`)

  it('may abort uploads, and remove what is elsewhere', () => {
    expect(judgeArchiveLifecycle(undefined, use).map(({ state }) => state)).toEqual(['skipped'])
    const fine = ['ok: no lifecycle rule removes what is below p/archive/']
    expect(judge()).toEqual(fine)
    expect(judge(rule({}), rule({ prefix: 'p/archive/' }))).toEqual(fine)
    expect(judge(rule({ prefix: 'p/exports/', expireDays: 30 }))).toEqual(fine)
    expect(judge(rule({ prefix: 'archive/', expireDays: 30 }))).toEqual(fine)
  })

  it.each([
    ['', 'p/archive/'],
    ['p/a', 'p/archive/'],
    ['p/archive/', 'p/archive/'],
    ['p/archive/services/', 'p/archive/services/'],
    ['p/archive/ca', 'p/archive/calls/'],
  ])('must not remove all that begins with %j', (prefix, folder) => {
    expect(judge(rule({ prefix, expireDays: 4000 }))).toEqual([
      `problem: the lifecycle rule "r" removes all that is below ${folder} after 4000 days`,
    ])
    expect(judge(rule({ prefix, expireDate: '2030-01-01' }))).toEqual([
      `problem: the lifecycle rule "r" removes all that is below ${folder} from 2030-01-01 on`,
    ])
  })

  it('should not remove some of it', () => {
    const some =
      'warning: the lifecycle rule "r" removes some of what is below p/archive/ after 9 days'
    expect(judge(rule({ partial: true, expireDays: 9 }))).toEqual([some])
    expect(judge(rule({ prefix: 'p/archive/services/dt=2020', expireDays: 9 }))).toEqual([some])
  })
})
