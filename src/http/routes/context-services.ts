import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { BusyError, SpecError } from '../../errors.ts'
import { acceptExport, type RequestExportDeps } from '../../export/request-export.ts'
import type { RowSource } from '../../export/ports.ts'
import { parseStreamQuery, resolveSpec, type QueryParameters } from '../../export/spec.ts'
import { createSlots } from '../../runtime/slots.ts'
import type { Lifetime } from '../lifetime.ts'
import { parseIdempotencyKey, prefersAsync, tenancyProblems } from '../request-headers.ts'
import { sendExport, type SendExportDeps } from '../send-export.ts'
import { sendStream, streamHeaders } from '../send-stream.ts'
import { headRouteSchema, streamRouteSchema } from './context-services-schema.ts'

export interface ContextServicesDeps extends RequestExportDeps, SendExportDeps {
  readonly source: RowSource
  /** Streams at once. */
  readonly streamConcurrency: number
  /** A stream of which no byte moves for so long is broken off, ms. */
  readonly stallMs: number
  /** So is one that takes longer altogether, ms. */
  readonly maxMs: number
}

const path = '/genesys/1/cs/maintenance/services/stream'

/** The operation of Context Services that Longhaul re-implements, as its clients know it. */
export function contextServicesRoutes(
  app: FastifyInstance,
  deps: ContextServicesDeps,
  { ending }: Lifetime,
): void {
  const { clock, streamConcurrency, stallMs, maxMs } = deps
  const slots = createSlots(streamConcurrency)

  app.get(
    path,
    { schema: streamRouteSchema, config: { permission: 'request' }, exposeHeadRoute: false },
    async (request, reply): Promise<FastifyReply> => {
      const parsed = parseRequest(request)
      if (prefersAsync(request.headers)) {
        const idempotencyKey = parseIdempotencyKey(request.headers)
        const { record, created } = await acceptExport(deps, parsed, {
          ...{ idempotencyKey, requestedBy: request.caller.name },
        })
        request.log.info({ export_id: record.id, created }, 'export requested')
        void reply.headers({
          'preference-applied': 'respond-async',
          location: `/exports/${record.id}`,
          'content-location': `/exports/${record.id}`,
        })
        return await sendExport(deps, reply, 202, record)
      }
      const spec = resolveSpec(parsed, clock.now())
      await untilOurTurn(request, reply)
      const giveBack = slots.take()
      if (giveBack === undefined) throw busy(streamConcurrency)
      try {
        await sendStream(deps, spec, { request, reply, ending, stallMs, maxMs })
      } finally {
        giveBack()
      }
      return reply
    },
  )

  // what GET would answer, without the work
  app.head(
    path,
    { schema: headRouteSchema, config: { permission: 'request' } },
    (request, reply) => {
      resolveSpec(parseRequest(request), clock.now())
      return reply.headers(streamHeaders(request)).send()
    },
  )
}

/** Between two looks whether the answers before have been sent, ms. */
const turnMs = 20

/**
 * A client may send requests ahead of the answers (RFC 9112, section 9.3.2). Such a request has to wait
 * its turn, and until then must hold neither a place nor a snapshot.
 */
async function untilOurTurn({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply) {
  while (raw.socket === null && !socket.destroyed) await sleep(turnMs)
}

/** @throws SpecError */
function parseRequest({ headers, query }: FastifyRequest) {
  const refused = tenancyProblems(headers)
  if (refused.length > 0) throw new SpecError('SPEC_INVALID', `${refused.join('; ')}.`)
  return parseStreamQuery(query as QueryParameters)
}

const busy = (limit: number) =>
  new BusyError(
    'STREAMS_BUSY',
    `This server sends ${limit} streams already, as many as it may at once.`,
    {
      hint: 'Try again later, or send "Prefer: respond-async" to have a worker write the export to the object store.',
    },
  )
