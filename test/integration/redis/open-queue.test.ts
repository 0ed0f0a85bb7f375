import { describe, expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { ConfigError, QueueError } from '../../../src/errors.ts'
import { startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'
import { expectWorks, open, redisWith } from './setup.ts'

describe('Redis as the queue', () => {
  it('is refused when it evicts keys, with what to do', async () => {
    const port = await redisWith('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    const { opened } = open({ url: `redis://127.0.0.1:${port}` })
    await expect(opened).rejects.toThrow(ConfigError)
    await expect(opened).rejects.toThrow(/noeviction, got allkeys-lru at redis:\/\/127.0.0.1:\d+/)
    await expect(opened).rejects.toThrow(/CONFIG SET maxmemory-policy noeviction/)
  })

  it('that forbids to ask for its policy is used, with a warning', async () => {
    const port = await redisWith(
      ...['--user', 'queue', 'on', '>hush-hush-hush', '~*', '&*', '+@all', '-info', '-config'],
      ...['--user', 'default', 'off'],
    )
    const opening = open({ url: `redis://queue:hush-hush-hush@127.0.0.1:${port}` })
    await expectWorks(opening)
    expect(opening.logLines.join('')).toMatch(/"level":"warn".*noeviction/)
    expect(opening.logLines.join('')).not.toContain('hush-hush')
  })

  it.each([
    ['a wrong password', 'queue:wrong-wrong', /WRONGPASS/],
    ['no password', '', /NOAUTH/],
  ])('that is given %s says so, and is not waited for', async (_title, user, reason) => {
    const port = await redisWith('--requirepass', 'hush-hush-hush')
    const { opened } = open(
      { url: `redis://${user}@127.0.0.1:${port}` },
      new AbortController().signal,
    )
    await expect(opened).rejects.toThrow(QueueError)
    await expect(opened).rejects.toThrow(reason)
    await expect(opened).rejects.toThrow(expect.not.stringContaining('wrong-wrong') as string)
  })

  it('with a password and another database works', async () => {
    const port = await redisWith('--requirepass', 'p@ss:word/1')
    await expectWorks(
      open({ url: `redis://:${encodeURIComponent('p@ss:word/1')}@127.0.0.1:${port}/3` }),
    )
  })

  it('that cannot be reached is an error at once for who does not wait', async () => {
    const port = await lastingPort()
    const began = performance.now()
    const { opened } = open({ url: `redis://nobody:hush-hush@127.0.0.1:${port}` })
    await expect(opened).rejects.toThrow(QueueError)
    await expect(opened).rejects.toThrow(
      /Redis at redis:\/\/127.0.0.1:\d+ cannot be reached.*ECONNREFUSED/,
    )
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it('that comes later is waited for by who waits, who says so once', async () => {
    const port = await lastingPort()
    const opening = open({ url: `redis://127.0.0.1:${port}` }, new AbortController().signal)
    await until(() => opening.logLines.length > 0)
    const began = performance.now()
    await until(() => performance.now() - began > 2500)
    expect(opening.logLines).toHaveLength(1)
    expect(opening.logLines[0]).toContain('"msg":"waiting for the queue"')
    expect(opening.logLines[0]).toContain('ECONNREFUSED')
    const server = await startRedis(port)
    onTestFinished(() => server.stop())
    await expectWorks(opening)
  })

  it('is not waited for any longer than its service is wanted', async () => {
    const stopping = new AbortController()
    const url = `redis://127.0.0.1:${await lastingPort()}`
    const { opened, logLines } = open({ url }, stopping.signal)
    await until(() => logLines.length > 0)
    const reason = new Error('stopping')
    stopping.abort(reason)
    await expect(opened).rejects.toBe(reason)
  })
})
