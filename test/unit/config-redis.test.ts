import { describe, expect, it } from 'vitest'
import { parseClientConfig, parseConfig } from '../../src/config.ts'
import type { ConfigError } from '../../src/errors.ts'

const least = { DATABASE_URL: 'postgres://db/longhaul', S3_BUCKET: 'exports' }
const redisOf = (environment: Readonly<Record<string, string>>) =>
  parseConfig({ ...least, ...environment }).redis

function problemsWith(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    redisOf(environment)
  } catch (error) {
    return (error as ConfigError).problems
  }
  return []
}

describe('the configuration of Redis', () => {
  it('is none by default: the queue is in the control database', () => {
    expect(redisOf({})).toBeUndefined()
  })

  it('is one URL', () => {
    const url = 'rediss://user:pass@cache:6380/2'
    expect(redisOf({ REDIS_URL: url })).toEqual({
      ...{ url, prefix: 'longhaul', cluster: false, sentinel: undefined },
    })
  })

  it('may be Sentinels', () => {
    const environment = {
      REDIS_URL: 'redis://:pass@unused/1',
      REDIS_SENTINELS: 'one, two:26380,[::1]:5',
      REDIS_SENTINEL_MASTER: 'queue',
      REDIS_SENTINEL_PASSWORD: 'other',
    }
    expect(redisOf(environment)?.sentinel).toEqual({
      hosts: [
        { host: 'one', port: 26_379 },
        { host: 'two', port: 26_380 },
        { host: '::1', port: 5 },
      ],
      master: 'queue',
      username: undefined,
      password: 'other',
    })
  })

  it('may be a cluster', () => {
    const environment = { REDIS_URL: 'redis://node', REDIS_CLUSTER: 'true', REDIS_PREFIX: 'team' }
    expect(redisOf(environment)).toMatchObject({ cluster: true, prefix: 'team' })
  })

  const url = { REDIS_URL: 'redis://cache' }
  const sentinels = { REDIS_SENTINELS: 'one', REDIS_SENTINEL_MASTER: 'queue' }
  it.each([
    [{ REDIS_URL: 'cache:6379' }, 'expected a URL that begins with redis:// or rediss://'],
    [{ REDIS_URL: 'redis://cache/jobs' }, 'expected the number of a database as its path'],
    [{ ...url, REDIS_PREFIX: 'a{b}' }, 'REDIS_PREFIX: expected 1 to 64 letters'],
    [{ REDIS_PREFIX: 'team' }, 'REDIS_PREFIX: expected REDIS_URL beside it'],
    [{ REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER: expected REDIS_URL beside it'],
    [{ ...url, REDIS_CLUSTER: 'yes' }, 'expected one of "true", "false"'],
    [{ REDIS_URL: 'redis://cache/1', REDIS_CLUSTER: 'true' }, 'expected database 0'],
    [{ ...url, REDIS_SENTINELS: 'one' }, 'expected both'],
    [{ ...url, REDIS_SENTINEL_MASTER: 'queue' }, 'expected both'],
    [{ ...url, ...sentinels, REDIS_CLUSTER: 'true' }, 'expected one of them, got both'],
    [{ ...url, ...sentinels, REDIS_SENTINELS: 'one,,two' }, 'expected host:port'],
    [{ ...url, ...sentinels, REDIS_SENTINELS: 'redis://one' }, 'expected host:port'],
    [{ ...url, REDIS_PREFX: 'x' }, 'did you mean REDIS_PREFIX?'],
  ])('that is wrong is refused: %o', (environment, expected) => {
    const problems = problemsWith(environment)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })

  it('is nothing that a command cares for that talks to a server', () => {
    expect(() => parseClientConfig({ REDIS_URL: 'x', REDIS_CLUSTER: 'true' })).not.toThrow()
  })
})
