import { createServer, type AddressInfo } from 'node:net'
import type { LookupAddress } from 'node:dns'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inspectWebhook } from '../../../src/webhook/inspect-webhook.ts'
import { until } from '../../support/until.ts'
import { startWebhookReceiver } from '../../support/webhook-receiver.ts'

const asking = () => ({ signal: new AbortController().signal })

/** As sends do it: names stand for these addresses. */
const inspect = (url: string, allowPrivate: boolean, addresses: readonly string[] = []) =>
  inspectWebhook(
    { url, allowPrivate },
    {
      resolve: (_hostname, callback) =>
        callback(
          null,
          addresses.map((address): LookupAddress => ({
            ...{ address, family: address.includes(':') ? 6 : 4 },
          })),
        ),
    },
  )

/** Takes connections, counts their bytes, and never says a word. */
async function listenSilently() {
  const seen = { open: 0, bytes: 0 }
  const server = createServer((socket) => {
    seen.open++
    socket.on('data', (data) => (seen.bytes += data.length))
    socket.on('close', () => seen.open--).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { seen, port: (server.address() as AddressInfo).port }
}

describe('a look at a receiver', () => {
  it('shows its origin alone, opens a connection, sends nothing and leaves', async () => {
    const { seen, port } = await listenSilently()
    const webhook = inspect(`http://who:hush@127.0.0.1:${port}/hush?token=hush`, true)
    expect(webhook.origin).toBe(`http://127.0.0.1:${port}`)
    expect(await webhook.connect(asking())).toBeUndefined()
    await until(() => seen.open === 0)
    expect(seen.bytes).toBe(0)
  })

  it('takes any of the addresses of a name', async () => {
    const { port } = await listenSilently()
    expect(await inspect(`http://localhost:${port}/`, true).connect(asking())).toBeUndefined()
  })

  it('tells why there is no connection', async () => {
    const refused = await inspect('http://127.0.0.1:1/hush', true).connect(asking())
    expect(refused).toEqual({ reason: 'connect ECONNREFUSED 127.0.0.1:1', isPrivate: false })
    const unknown = await inspect('http://no.such.invalid/hush', true).connect(asking())
    expect(unknown).toMatchObject({ isPrivate: false })
    expect(unknown?.reason).toMatch(/^getaddrinfo \w+ no\.such\.invalid$/)
  })

  it('by https wants a handshake', async () => {
    const { url, calls } = await startWebhookReceiver(onTestFinished)
    const secure = url.replace('http:', 'https:')
    const unreached = await inspect(secure, true).connect(asking())
    expect(unreached).toMatchObject({ isPrivate: false })
    expect(unreached?.reason).not.toContain('hush')
    expect(calls).toEqual([])
  })

  it('is left when nobody waits for it any more', async () => {
    const { seen, port } = await listenSilently()
    const leaving = new AbortController()
    const looking = inspect(`https://127.0.0.1:${port}/`, true).connect({ signal: leaving.signal })
    // what it says is the beginning of a handshake
    await until(() => seen.bytes > 0)
    leaving.abort(new Error('no longer'))
    await expect(looking).rejects.toThrow('no longer')
    await until(() => seen.open === 0)
  })

  it('never calls a private address, as what it is or by a name', async () => {
    const { url, open } = await startWebhookReceiver(onTestFinished)
    const named = `http://alerts.example:${new URL(url).port}/hush`
    for (const webhook of [
      inspect(url, false),
      inspect(named, false, ['127.0.0.1']),
      inspect(named, false, ['8.8.8.8', '127.0.0.1']),
      inspect(named.replace('http:', 'https:'), false, ['::ffff:127.0.0.1']),
    ]) {
      const unreached = await webhook.connect(asking())
      expect(unreached).toMatchObject({ isPrivate: true })
      expect(unreached?.reason).toMatch(/ a private address$/)
    }
    expect(open()).toBe(0)
  })
})
