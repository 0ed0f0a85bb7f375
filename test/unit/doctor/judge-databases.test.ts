import { describe, expect, it } from 'vitest'
import { judgeControl, judgeMigrations } from '../../../src/doctor/control-checks.ts'
import { judgeVersion } from '../../../src/doctor/database-checks.ts'
import { judgeNode } from '../../../src/doctor/judge-runtime.ts'
import { judgeRole, judgeStandby } from '../../../src/doctor/judge-source.ts'
import type { ServerFacts, StandbyFacts } from '../../../src/doctor/ports.ts'

const server = (facts: Partial<ServerFacts> = {}): ServerFacts => ({
  ...{ version: '18.4', versionNumber: 180_004, supported: { oldest: 14, newest: 18 } },
  ...{ standby: false, readOnly: false, pooled: false },
  ...facts,
})

describe('a version', () => {
  it.each([
    [130_022, 'problem'],
    [140_000, 'ok'],
    [180_004, 'ok'],
    [190_000, 'warning'],
  ] as const)('%i of PostgreSQL: %s', (versionNumber, state) => {
    expect(judgeVersion(server({ versionNumber })).state).toBe(state)
  })

  it.each([
    ['v18.20.0', 'problem'],
    ['v20.18.9', 'problem'],
    ['v20.19.0', 'warning'],
    ['v22.1.0', 'ok'],
    ['v24.0.0', 'ok'],
  ] as const)('%s of Node: %s', (version, state) => {
    expect(judgeNode(version).state).toBe(state)
  })

  it('20 of Node has the note of the AWS SDK', () => {
    expect(judgeNode('v20.20.2').found).toMatch(/AWS SDK ends its support in January 2027/)
  })
})

describe('the control database', () => {
  const states = (facts: Partial<ServerFacts>, holdsQueue: boolean) =>
    judgeControl(server(facts), { holdsQueue }).map(({ state }) => state)

  it('must be written to, and be reached directly by the queue', () => {
    expect(states({}, true)).toEqual([])
    expect(states({ standby: true, readOnly: true }, true)).toEqual(['problem'])
    expect(states({ readOnly: true, pooled: true }, true)).toEqual(['problem', 'warning'])
    expect(states({ pooled: true }, false)).toEqual([])
  })

  it('must have the migrations of this version', () => {
    const applied = ['0001_a', '0002_b']
    expect(judgeMigrations({ applied, missing: [], unknown: [] }).state).toBe('ok')
    expect(judgeMigrations({ applied, missing: ['0003_c'], unknown: [] })).toMatchObject({
      ...{ state: 'problem', advice: 'Run `longhaul migrate`.' },
      found: expect.stringContaining('0003_c') as string,
    })
    expect(judgeMigrations({ applied, missing: [], unknown: ['0009_z'] })).toMatchObject({
      ...{ state: 'warning', found: expect.stringContaining('0009_z') as string },
      advice: expect.stringContaining('Upgrade') as string,
    })
  })
})

describe('the source', () => {
  const standby = (facts: Partial<StandbyFacts>): StandbyFacts => ({
    ...{ lagMs: 200, feedback: false, delayMs: 30_000 },
    delaySetting: 'max_standby_streaming_delay',
    ...facts,
  })
  const states = (facts: StandbyFacts | undefined) =>
    judgeStandby(facts, { maxMs: 86_400_000 }).map(({ state }) => state)

  it('may be a standby that leaves exports their time, and is not far behind', () => {
    expect(states(undefined)).toEqual(['ok'])
    expect(states(standby({ feedback: true }))).toEqual(['ok'])
    expect(states(standby({ delayMs: -1 }))).toEqual(['ok'])
    expect(states(standby({ delayMs: 86_400_000 }))).toEqual(['ok'])
    expect(states(standby({}))).toEqual(['ok', 'warning'])
    expect(states(standby({ feedback: true, lagMs: 61_000 }))).toEqual(['warning'])
    expect(states(standby({ feedback: true, lagMs: undefined }))).toEqual(['ok'])
  })

  it('must stand the connections of one worker', () => {
    const role = { name: 'reader', connections: 4 }
    expect(judgeRole(role, { connections: 4 }).state).toBe('ok')
    expect(judgeRole(role, { connections: 5 })).toMatchObject({
      ...{ state: 'warning', found: expect.stringContaining('reader') as string },
    })
  })
})
