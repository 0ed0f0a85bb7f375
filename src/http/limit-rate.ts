import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BusyError } from '../errors.ts'
import type { Caller } from './access.ts'

/** Who is turned away may come again after this time, ms. */
const windowMs = 1000

/**
 * Turns a key away that asks more often than it may; who has no name, or asks for what is open to all, is
 * not counted. Each server counts by itself. For the routes that are added from here on.
 * @param perSecond requests of one key; 0: any number
 */
export async function limitRate(app: FastifyInstance, perSecond: number): Promise<void> {
  if (perSecond === 0) return
  const nameOf = (request: FastifyRequest) => (request.caller as Caller | undefined)?.name
  await app.register(rateLimit, {
    max: perSecond,
    timeWindow: windowMs,
    keyGenerator: (request) => nameOf(request) ?? '',
    allowList: (request) => nameOf(request) === undefined,
    errorResponseBuilder: (request) => tooMany(nameOf(request) ?? '', perSecond),
    // a client learns of the limit when it meets it
    addHeaders: quiet,
    addHeadersOnExceeding: quiet,
  })
}

const quiet = {
  'x-ratelimit-limit': false,
  'x-ratelimit-remaining': false,
  'x-ratelimit-reset': false,
}

const tooMany = (name: string, perSecond: number) =>
  new BusyError(
    'RATE_LIMITED',
    `The API key ${name} asked more than ${perSecond} times within a second.`,
    {
      hint: 'Try again after a second. To wait for an export, ask once with ?wait=60 rather than often.',
    },
  )
