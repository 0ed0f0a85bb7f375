import { createHmac } from 'node:crypto'
import type { LookupAddress } from 'node:dns'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AlarmMessage } from '../../../src/archive/ports.ts'
import { AlertError } from '../../../src/errors.ts'
import { sendWebhook, type SendOptions } from '../../../src/webhook/send-webhook.ts'
import { until } from '../../support/until.ts'
import { loadAlarmExample } from '../../support/alarm-example.ts'
import { startWebhookReceiver, type Answering } from '../../support/webhook-receiver.ts'

const { isSigned } = await loadAlarmExample()
const key = Buffer.alloc(32, 9)
const secret = `whsec_${key.toString('base64')}`
const message: AlarmMessage = {
  id: 'msg_1',
  type: 'archive.alarm',
  timestamp: '2026-03-29T01:00:00.000Z',
  data: { message: 'Größe: 1 failed' },
}
const pace = { tryMs: 2000, pauseMs: 10, longestPauseMs: 40, limitMs: 5000 }

const send = (url: string, options: Partial<SendOptions> = {}) =>
  sendWebhook({ url, key, allowPrivate: true }, message, {
    ...{ signal: new AbortController().signal, pace },
    ...options,
  })

/** What it throws, which never shows the path of the URL. */
async function failureOf(sending: Promise<void>): Promise<AlertError> {
  const error: unknown = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AlertError)
  expect(inspect(error)).not.toContain('hush')
  return error as AlertError
}

const answering = (answer: Answering) => startWebhookReceiver(onTestFinished, answer)

describe('an alert webhook', () => {
  it('gets one signed call, that whoever has the secret can verify', async () => {
    const { url, calls } = await startWebhookReceiver(onTestFinished)
    await send(url)
    expect(calls).toHaveLength(1)
    const { path, headers, body } = calls[0]!
    expect(path).toBe('/services/hush-token')
    const { id, ...content } = message
    expect(JSON.parse(body)).toEqual(content)
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'webhook-id': id,
    })
    const seconds = String(headers['webhook-timestamp'])
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60)
    const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${mac}`)
    expect(isSigned(secret, headers, body)).toBe(true)
  })

  it('can tell a call that is not ours, is altered, or is old', async () => {
    const { url, calls } = await startWebhookReceiver(onTestFinished)
    await send(url)
    const { headers, body } = calls[0]!
    const old = String(Number(headers['webhook-timestamp']) - 400)
    expect(isSigned(secret, headers, `${body} `)).toBe(false)
    expect(isSigned(secret.replace('CQ', 'CR'), headers, body)).toBe(false)
    expect(isSigned(secret, { ...headers, 'webhook-id': 'msg_2' }, body)).toBe(false)
    expect(isSigned(secret, { ...headers, 'webhook-timestamp': old }, body)).toBe(false)
    expect(isSigned(secret, {}, body)).toBe(false)
    const other = {
      ...headers,
      'webhook-signature': `v1a,x ${String(headers['webhook-signature'])}`,
    }
    expect(isSigned(secret, other, body)).toBe(true)
  })

  it.each([500, 502, 429, 408])(
    'is called again after a %i, with the same id and body',
    async (status) => {
      const { url, calls } = await answering((response, nth) =>
        response.writeHead(nth < 2 ? status : 200).end('ok'),
      )
      await send(url)
      expect(calls).toHaveLength(3)
      expect(new Set(calls.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['msg_1']))
      expect(new Set(calls.map(({ body }) => body)).size).toBe(1)
    },
  )

  it.each([400, 401, 404, 410, 413])('is not called again after a %i', async (status) => {
    const { url, calls } = await answering((response) => response.writeHead(status).end())
    const error = await failureOf(send(url))
    expect(error).toMatchObject({ code: 'ALERT_NOT_DELIVERED', retryable: false })
    expect(error.message).toBe(
      `The alert webhook at ${new URL(url).origin} was not reached in 1 try: it answered ${status}.`,
    )
    expect(calls).toHaveLength(1)
  })

  it.each([301, 302, 307, 308])('is not followed where it redirects by %i', async (status) => {
    const target = await startWebhookReceiver(onTestFinished)
    const { url } = await answering((response) =>
      response.writeHead(status, { location: target.url }).end(),
    )
    const error = await failureOf(send(url))
    expect(error.hint).toContain('set ALERT_WEBHOOK_URL to where it leads')
    expect(target.calls).toEqual([])
  })

  it('is called again after a connection that breaks', async () => {
    const { url, calls } = await answering((response, nth) => {
      if (nth === 0) response.socket?.resetAndDestroy()
      else response.writeHead(202).end()
    })
    await send(url)
    expect(calls).toHaveLength(2)
  })

  it('is called again after an answer that wants another protocol', async () => {
    const { url, calls } = await answering((response, nth) => {
      const upgrade =
        'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'
      if (nth === 0) response.socket?.write(upgrade)
      else response.writeHead(204).end()
    })
    await send(url)
    expect(calls).toHaveLength(2)
  })

  it('is called again when it does not answer in time', async () => {
    const { url, calls } = await answering((response, nth) => {
      if (nth > 0) response.writeHead(204).end()
    })
    await send(url, { pace: { ...pace, tryMs: 100 } })
    expect(calls).toHaveLength(2)
  })

  it('is not listened to beyond the headers of its answer', async () => {
    let written = 0
    const { url, open } = await answering((response) => {
      response.writeHead(200)
      const chunk = Buffer.alloc(65_536)
      const more = () => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length
      }
      response.on('drain', more)
      more()
    })
    await send(url)
    await until(() => open() === 0)
    expect(written).toBeLessThan(64 * 1024 * 1024)
  })

  it('is given up when time is over, however long it asks to wait', async () => {
    const { url, calls } = await answering((response) =>
      response.writeHead(503, { 'retry-after': '3600' }).end(),
    )
    const began = performance.now()
    const error = await failureOf(send(url, { pace: { ...pace, limitMs: 200 } }))
    expect(performance.now() - began).toBeLessThan(2000)
    expect(calls.length).toBeGreaterThan(1)
    expect(error).toMatchObject({ retryable: true })
    expect(error.message).toContain(`in ${calls.length} tries: it answered 503`)
  })

  it('says what it met where nobody listens', async () => {
    const error = await failureOf(
      send('http://127.0.0.1:1/hush', { pace: { ...pace, limitMs: 20 } }),
    )
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('is left at once when the worker stops', async () => {
    const { url, calls } = await answering(() => undefined)
    const stopping = new AbortController()
    const sending = send(url, { signal: stopping.signal })
    await until(() => calls.length === 1)
    stopping.abort(new Error('stopping'))
    await expect(sending).rejects.toThrow('stopping')
  })
})

describe('a private address', () => {
  const sendStrictly = (url: string, addresses: readonly string[] = []) =>
    sendWebhook({ url, key, allowPrivate: false }, message, {
      ...{ signal: new AbortController().signal, pace: { ...pace, limitMs: 0 } },
      resolve: (_hostname, callback) => {
        callback(
          null,
          addresses.map((address): LookupAddress => ({
            address,
            family: address.includes(':') ? 6 : 4,
          })),
        )
      },
    })

  it('is not called, as what it is or by a name', async () => {
    const { url, calls, open } = await startWebhookReceiver(onTestFinished)
    const { port } = new URL(url)
    const named = `http://alerts.example:${port}/hush`
    for (const refused of [
      sendStrictly(url),
      sendStrictly(named, ['127.0.0.1']),
      sendStrictly(named, ['8.8.8.8', '127.0.0.1']),
      sendStrictly(named, ['::ffff:127.0.0.1']),
      sendStrictly(named, ['fe80::1']),
    ]) {
      const error = await failureOf(refused)
      expect(error.message).toMatch(/in 1 try: .* a private address/)
      expect(error).toMatchObject({
        retryable: false,
        hint: expect.stringContaining('ALERT_WEBHOOK_ALLOW_PRIVATE=true') as string,
      })
    }
    expect([calls.length, open()]).toEqual([0, 0])
  })
})
