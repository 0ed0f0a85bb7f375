import { describe, expect, it } from 'vitest'
import {
  describeArchives,
  judgeArchiveLink,
  judgeArchiveRemoved,
  judgeCalendars,
} from '../../../src/doctor/judge-archive.ts'
import type { FetchedLink } from '../../../src/doctor/bucket-ports.ts'
import type { UnreachedReceiver } from '../../../src/doctor/ports.ts'
import { judgeWebhook } from '../../../src/doctor/webhook-checks.ts'

const services = { name: 'services', unit: 'day', timeZone: 'Europe/Berlin' }
const calls = { name: 'calls', unit: 'hour', timeZone: 'UTC' }

describe('archives', () => {
  it('are named in short', () => {
    expect(describeArchives([services, calls])).toBe(
      'services by the day, Europe/Berlin; calls by the hour, UTC',
    )
  })

  it('must go on by the calendar that they began with', () => {
    const judge = (...kept: readonly (typeof services)[]) =>
      judgeCalendars([services, calls], kept).map(({ state, found }) => `${state}: ${found}`)
    expect(judge()).toEqual(['ok: the ledger has nothing of them yet'])
    // what is not defined any more may be as it was
    expect(judge({ ...services, name: 'earlier', unit: 'month' })).toEqual(judge())
    const same = ['ok: the ledger keeps them by the same windows and time zones']
    expect(judge(services)).toEqual(same)
    expect(judge(calls, services)).toEqual(same)
    const refused = (name: string, kept: string, wanted: string) =>
      `problem: the ledger keeps ${name} by the ${kept}, and cannot go on by the ${wanted}: workers refuse to start`
    expect(judge({ ...services, timeZone: 'UTC' }, { ...calls, unit: 'month' })).toEqual([
      refused('services', 'day, UTC', 'day, Europe/Berlin'),
      refused('calls', 'month, UTC', 'hour, UTC'),
    ])
  })
})

describe('an object below the archives', () => {
  const judge = (fetched: FetchedLink | { unreachable: string }) => {
    const use = { folder: 'p/archive/', linkPlace: 'https://store' }
    const { state, advice = '' } = judgeArchiveLink(fetched, use)
    return [state, advice.includes('s3:GetObject below p/archive/')]
  }

  it('must be read by a link; what hinders all links is told where exports are', () => {
    expect(judge({ statuses: [200, 206], same: true })).toEqual(['ok', false])
    expect(judge({ statuses: [403, 403], same: false })).toEqual(['problem', true])
    expect(judge({ statuses: [500, 500], same: false })).toEqual(['problem', false])
    expect(judge({ unreachable: 'ECONNREFUSED' })).toEqual(['skipped', false])
  })

  it('may be kept as an old version', () => {
    const states = [true, false].map((keepsVersions) => judgeArchiveRemoved({ keepsVersions }))
    expect(states.map(({ state }) => state)).toEqual(['ok', 'ok'])
  })
})

describe('a receiver of alarms', () => {
  it('is there, or not called, or not reached', () => {
    const judge = (unreached: UnreachedReceiver | undefined) =>
      judgeWebhook('https://alerts.example.com', unreached)
    expect(judge(undefined)).toEqual({
      ...{ state: 'ok', found: 'https://alerts.example.com takes connections' },
    })
    expect(judge({ reason: 'it has a private address', isPrivate: true })).toMatchObject({
      ...{ state: 'problem', found: expect.stringContaining('a private address') as string },
      advice: expect.stringContaining('ALERT_WEBHOOK_ALLOW_PRIVATE=true') as string,
    })
    expect(judge({ reason: 'connect ECONNREFUSED', isPrivate: false })).toMatchObject({
      ...{ state: 'problem', found: expect.stringContaining('ECONNREFUSED') as string },
      advice: expect.stringContaining('ALERT_WEBHOOK_URL') as string,
    })
  })
})
