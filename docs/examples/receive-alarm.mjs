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

const seen = new Set()

export const receiver = (secret, onAlarm) =>
  createServer(async (request, response) => {
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
    response.writeHead(204).end()
  })

const [, script, port] = process.argv
if (script?.endsWith('receive-alarm.mjs')) {
  const print = ({ type, data }) => console.log(type, data.message ?? `since ${data.since}`)
  receiver(process.env.ALERT_WEBHOOK_SECRET ?? '', print).listen(Number(port ?? 9000), '127.0.0.1')
}
