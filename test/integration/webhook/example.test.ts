import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AlarmMessage } from '../../../src/archive/ports.ts'
import { sendWebhook } from '../../../src/webhook/send-webhook.ts'
import { loadAlarmExample } from '../../support/alarm-example.ts'

const { receiver } = await loadAlarmExample()
const key = Buffer.alloc(32, 9)
const secret = `whsec_${key.toString('base64')}`
const message: AlarmMessage = {
  ...{ id: 'msg_1', type: 'archive.alarm', timestamp: '2026-03-29T01:00:00.000Z' },
  data: { message: 'Größe: 1 failed' },
}
const pace = { tryMs: 2000, pauseMs: 10, longestPauseMs: 40, limitMs: 5000 }

const send = (port: number, by = key) =>
  sendWebhook({ url: `http://127.0.0.1:${port}/`, key: by, allowPrivate: true }, message, {
    ...{ signal: new AbortController().signal, pace },
  })

async function setup() {
  const alarms: unknown[] = []
  const server = receiver(secret, (alarm) => alarms.push(alarm)).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, port, alarms }
}

describe('the receiver of the documents', () => {
  it('answers once for each message, and only if it is signed', async () => {
    const { port, alarms } = await setup()
    for (let n = 0; n < 2; n++) await send(port)
    expect(alarms).toEqual([expect.objectContaining({ type: 'archive.alarm' })])
    await expect(send(port, Buffer.alloc(32, 1))).rejects.toThrow('answered 401')
    expect(alarms).toHaveLength(1)
  })

  it('answers also after somebody left within a call', async () => {
    const { server, port, alarms } = await setup()
    const asked = once(server, 'request')
    const socket = connect(port, '127.0.0.1')
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"half":')
    const [, response] = (await asked) as [unknown, ServerResponse]
    const left = once(response, 'close')
    socket.destroy()
    await left
    await send(port)
    expect(alarms).toHaveLength(1)
  })

  it.each([undefined, ''])('does not start without a secret: %s', (none) => {
    expect(() => receiver(none, () => undefined)).toThrow('ALERT_WEBHOOK_SECRET: expected')
  })
})
