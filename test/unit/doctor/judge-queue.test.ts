import { describe, expect, it } from 'vitest'
import {
  judgePersistence,
  judgePolicy,
  judgeRedisRole,
  judgeRedisVersion,
} from '../../../src/doctor/queue-checks.ts'
import type { RedisNode } from '../../../src/doctor/ports.ts'

const node = (facts: Partial<RedisNode> = {}): RedisNode => ({
  ...{ place: '10.0.0.1:6379', product: 'Redis', version: '7.0.15', compatibleVersion: '7.0.15' },
  ...{ policy: 'noeviction', clustered: false, replica: false, persistent: true },
  ...facts,
})
const versions = { minimumVersion: '5.0.0', recommendedVersion: '6.2.0' }

describe('a Redis', () => {
  it.each([
    ['4.0.14', 'problem'],
    ['6.0.16', 'warning'],
    ['6.2.0', 'ok'],
    ['10.0.0', 'ok'],
    [undefined, 'skipped'],
  ] as const)('of version %s: %s', (version, state) => {
    const found = judgeRedisVersion(node({ version, compatibleVersion: version }), versions)
    expect(found.state).toBe(state)
  })

  it('may be a Valkey, by the Redis that it is like', () => {
    const valkey = node({ product: 'Valkey', version: '1.0.0', compatibleVersion: '7.2.4' })
    expect(judgeRedisVersion(valkey, versions)).toEqual({
      state: 'ok',
      found: '10.0.0.1:6379 is Valkey 1.0.0',
    })
  })

  it('must evict nothing', () => {
    expect(judgePolicy(node()).state).toBe('ok')
    expect(judgePolicy(node({ policy: 'allkeys-lru' }))).toMatchObject({
      ...{ state: 'problem', advice: 'Set it with: CONFIG SET maxmemory-policy noeviction' },
    })
    expect(judgePolicy(node({ policy: undefined })).state).toBe('warning')
  })

  it('must be what REDIS_CLUSTER says', () => {
    const judge = (facts: Partial<RedisNode>, cluster: boolean) =>
      judgeRedisRole(node(facts), { cluster }).state
    expect(judge({}, false)).toBe('ok')
    expect(judge({ clustered: true }, true)).toBe('ok')
    expect(judge({ clustered: true, replica: true }, true)).toBe('ok')
    expect(judge({ clustered: true }, false)).toBe('problem')
    expect(judge({ replica: true }, false)).toBe('problem')
    expect(judge({ clustered: undefined }, false)).toBe('skipped')
  })

  it('may keep nothing on disk', () => {
    expect(judgePersistence(node())).toMatchObject({ state: 'ok' })
    expect(judgePersistence(node({ persistent: false }))).toMatchObject({
      ...{ state: 'ok', found: expect.stringContaining('enqueued again') as string },
    })
    expect(judgePersistence(node({ persistent: undefined })).state).toBe('skipped')
  })
})
