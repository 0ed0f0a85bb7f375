// Takes the calls of ALERT_WEBHOOK_URL, and believes only those that Longhaul has signed, and a moment ago.
//
//   ALERT_WEBHOOK_SECRET=whsec_… node docs/examples/receive-alarm.mjs 9000
//
// Libraries of Standard Webhooks (https://www.standardwebhooks.com) do the same.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const tolerance = 5 * 60

/** Whether somebody who has the secret signed this body within the last five minutes. */
export function isSigned(secret, headers, body) {
  const {
    'webhook-id': id,
    'webhook-timestamp': seconds,
    'webhook-signature': signatures,
  } = headers
  // without a time it is no number, and not close either
  if (!(Math.abs(Date.now() / 1000 - Number(seconds)) <= tolerance)) return false
  const key = /^whsec_/.test(secret) ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret)
  const wanted = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest()
  return String(signatures)
    .split(' ')
    .map((each) => each.split(','))
    .some(([version, signature = '']) => {
      const given = Buffer.from(signature, 'base64')
      return version === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted)
    })
}

/** Of so many calls it knows the ids: one that comes twice does so within minutes. */
const remembered = 1000

/** A server that hands on each alarm once. Without a secret anybody could sign: then it throws. */
export function receiver(secret, onAlarm) {
  if (!secret)
    throw new TypeError('ALERT_WEBHOOK_SECRET: expected the one that Longhaul signs with')
  const seen = new Set()

  async function take(request, response) {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) {
      body += chunk
      if (body.length > 1_000_000) return request.destroy()
    }
    if (!isSigned(secret, request.headers, body)) return response.writeHead(401).end()
    const id = request.headers['webhook-id']
    // a call whose answer was lost comes again, with the same id
    if (!seen.has(id)) onAlarm(JSON.parse(body))
    seen.add(id)
    if (seen.size > remembered) seen.delete(seen.values().next().value)
    response.writeHead(204).end()
  }

  return createServer((request, response) => {
    // whoever leaves within a call gets no answer; and where an alarm cannot be handed on, it comes again
    take(request, response).catch(() => response.destroy())
  })
}

const [, script, port] = process.argv
if (script?.endsWith('receive-alarm.mjs')) {
  const print = ({ type, data }) => console.log(type, data.message ?? `since ${data.since}`)
  receiver(process.env.ALERT_WEBHOOK_SECRET, print).listen(Number(port ?? 9000), '127.0.0.1')
}
