import { describe, expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { createPatient, saying } from '../doctor/setup.ts'
import { redisWith } from './setup.ts'

const password = 'hush-hush-hush'

async function diagnoseRedis(
  port: number,
  variables: Readonly<Record<string, string>> = {},
  user = '',
) {
  const { diagnose } = await createPatient(onTestFinished)
  const REDIS_URL = `redis://${user === '' ? '' : `${user}@`}127.0.0.1:${port}`
  return diagnose({ REDIS_URL, ...variables }, { secrets: [password] })
}

describe('a doctor who looks at Redis', () => {
  it('finds it well, and says whether it writes to disk', async () => {
    const idle = await diagnoseRedis(await redisWith())
    expect(idle.checks('problem')).toEqual([])
    expect(idle.of('queue.connection')).toEqual([saying('ok', /^redis:\/\/127.0.0.1:\d+ lets us/)])
    expect(idle.of('queue.server')).toEqual([saying('ok', /is (Redis|Valkey) \d+\.\d+/)])
    expect(idle.of('queue.role')).toEqual([saying('ok', /is a master$/)])
    expect(idle.of('queue.memory policy')).toEqual([saying('ok', /evicts nothing/)])
    expect(idle.of('queue.persistence')).toEqual([saying('ok', /keeps nothing on disk/)])
    const saving = await diagnoseRedis(await redisWith('--save', '3600', '1'))
    expect(saving.of('queue.persistence')).toEqual([saying('ok', /writes to disk/)])
    const appending = await diagnoseRedis(await redisWith('--appendonly', 'yes'))
    expect(appending.of('queue.persistence')).toEqual([saying('ok', /writes to disk/)])
  })

  it('refuses one that evicts keys', async () => {
    const port = await redisWith('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    const { of, checks } = await diagnoseRedis(port)
    expect(of('queue.memory policy')).toEqual([
      saying('problem', /allkeys-lru/, /CONFIG SET maxmemory-policy noeviction/),
    ])
    expect(checks('problem')).toEqual(['queue.memory policy'])
  })

  it('tells of one that is away, or whose password is another, once', async () => {
    const away = await diagnoseRedis(await lastingPort(), {}, `queue:${password}`)
    expect(away.of('queue.connection')).toEqual([saying('problem', /ECONNREFUSED/, /REDIS_URL/)])
    expect(away.checks('problem')).toEqual(['queue.connection'])
    expect(away.of('queue.persistence')).toEqual([saying('skipped', /connection/)])

    const port = await redisWith('--requirepass', 'another-password')
    const strange = await diagnoseRedis(port, {}, `:${password}`)
    expect(strange.of('queue.connection')).toEqual([saying('problem', /WRONGPASS/, /password/)])
    expect(strange.checks('problem')).toEqual(['queue.connection'])
  })

  it('takes one that tells nothing of itself, with a warning', async () => {
    const port = await redisWith(
      ...['--user', 'queue', 'on', `>${password}`, '~*', '&*', '+@all', '-info', '-config'],
      ...['--user', 'default', 'off'],
    )
    const { of, checks } = await diagnoseRedis(port, {}, `queue:${password}`)
    expect(checks('problem')).toEqual([])
    expect(of('queue.memory policy')).toEqual([saying('warning', /does not tell/, /noeviction/)])
    expect(checks('skipped')).toEqual(
      expect.arrayContaining(['queue.server', 'queue.role', 'queue.persistence']),
    )
  })

  it('tells a replica, and a cluster that is none or is one unknowingly', async () => {
    const master = await redisWith()
    const replica = await redisWith('--replicaof', '127.0.0.1', String(master))
    expect((await diagnoseRedis(replica)).of('queue.role')).toEqual([
      saying('problem', /is a replica/, /master/),
    ])
    const none = await diagnoseRedis(master, { REDIS_CLUSTER: 'true' })
    expect(none.of('queue.connection')).toEqual([
      saying('problem', /cluster support disabled/, /REDIS_CLUSTER/),
    ])
    const clustered = await redisWith('--cluster-enabled', 'yes')
    expect((await diagnoseRedis(clustered)).of('queue.role')).toEqual([
      saying('problem', /one server of a cluster/, /REDIS_CLUSTER=true/),
    ])
  })
})
