import type { FastifyInstance, FastifyRequest } from 'fastify'
import { SpecError } from '../../errors.ts'
import { cancelExport } from '../../export/cancel-export.ts'
import { deleteExport } from '../../export/delete-export.ts'
import { linkExport } from '../../export/link-export.ts'
import type { ArtifactStore, ExportQueue, ExportRecords } from '../../export/ports.ts'
import { requestExport } from '../../export/request-export.ts'
import type { ExportWatch } from '../../export/watch-exports.ts'
import type { Clock } from '../../runtime/clock.ts'
import { describeIssues, got } from '../../runtime/describe-issues.ts'
import type { Lifetime } from '../lifetime.ts'
import { parseIdempotencyKey, tenancyProblems } from '../request-headers.ts'
import { advise, sendExport, sendExportUnlessHeld, viewWithLinks } from '../send-export.ts'
import { parseWait, waitForExport, waitQuery } from '../wait-for-export.ts'
import { visibleRecords } from '../visible-records.ts'
import { answers, answersNothing, jsonSchema, listQuery, problems, reference } from '../schemas.ts'

export interface ExportRoutesDeps {
  readonly records: ExportRecords
  readonly queue: ExportQueue
  readonly artifacts: Pick<ArtifactStore, 'link' | 'remove'>
  readonly watch: ExportWatch
  readonly clock: Clock
  readonly linkTtlSeconds: number
}

interface ById {
  readonly Params: { readonly id: string }
}

const idParameter = {
  type: 'object',
  properties: { id: { type: 'string', format: 'uuid' } },
  required: ['id'],
}

/** `/exports`: request, list, look at, fetch, cancel, delete. */
export function exportRoutes(
  app: FastifyInstance,
  deps: ExportRoutesDeps,
  lifetime: Lifetime,
): void {
  /** The same, with the records that a caller sees. */
  const seenBy = ({ caller }: FastifyRequest) => ({
    ...deps,
    records: visibleRecords(deps.records, caller),
  })

  app.post(
    '/exports',
    {
      config: { permission: 'request' },
      schema: {
        summary: 'Request an export',
        headers: {
          type: 'object',
          properties: {
            'idempotency-key': {
              type: 'string',
              description: 'The same key with the same body gives the same export, with 200.',
            },
          },
        },
        body: reference('ExportRequest'),
        response: {
          202: answers('Accepted; a worker will run it.', 'Export'),
          200: answers('The export that this idempotency key stands for.', 'Export'),
          ...problems(400, 413, 415, 422),
        },
      },
    },
    async (request, reply) => {
      refuseWhatWouldBeIgnored(request)
      const idempotencyKey = parseIdempotencyKey(request.headers)
      const { record, created } = await requestExport(deps, request.body, {
        ...{ idempotencyKey, requestedBy: request.caller.name },
      })
      request.log.info({ export_id: record.id, created }, 'export requested')
      void reply.header('location', `/exports/${record.id}`)
      return sendExport(deps, reply, created ? 202 : 200, record)
    },
  )

  app.get(
    '/exports',
    {
      config: { permission: 'look' },
      schema: {
        summary: 'List exports, newest first',
        querystring: jsonSchema(listQuery, 'input'),
        response: { 200: answers('One page.', 'ExportList'), ...problems(400) },
      },
    },
    async (request, reply) => {
      const { state, cursor, limit } = parseListQuery(request.query)
      const page = await seenBy(request).records.list({
        limit,
        ...(state === undefined ? {} : { state }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      const exports = await viewWithLinks(deps, page.exports)
      return reply
        .header('cache-control', 'no-store')
        .send({ exports, next_cursor: page.nextCursor ?? null })
    },
  )

  app.get<ById>(
    '/exports/:id',
    {
      config: { permission: 'look' },
      schema: {
        summary: 'State, progress and link of an export',
        params: idParameter,
        querystring: jsonSchema(waitQuery, 'input'),
        headers: {
          type: 'object',
          properties: {
            'if-none-match': { type: 'string', description: 'ETag of an answer that you have.' },
          },
        },
        response: {
          200: answers('The export.', 'Export'),
          304: answersNothing('As in the answer that you have; its link still holds.'),
          ...problems(400, 404),
        },
      },
    },
    async (request, reply) => {
      const seconds = parseWait(request.query)
      const ifNoneMatch = request.headers['if-none-match']
      const options = { seconds, request, lifetime, ifNoneMatch }
      const record = await waitForExport(seenBy(request), request.params.id, options)
      return sendExportUnlessHeld(deps, reply, record)
    },
  )

  app.get<ById>(
    '/exports/:id/artifact',
    {
      config: { permission: 'look' },
      schema: {
        summary: 'Redirect to a freshly signed link',
        params: idParameter,
        querystring: jsonSchema(waitQuery, 'input'),
        response: {
          302: answersNothing('Location is the link.'),
          ...problems(400, 404, 409, 410),
        },
      },
    },
    async (request, reply) => {
      const options = { seconds: parseWait(request.query), request, lifetime }
      const record = await waitForExport(seenBy(request), request.params.id, options)
      advise(deps, reply, record)
      const link = await linkExport(deps, record)
      return reply.header('cache-control', 'no-store').redirect(link.url, 302)
    },
  )

  app.post<ById>(
    '/exports/:id/cancel',
    {
      config: { permission: 'request' },
      schema: {
        summary: 'Cancel a queued or running export',
        params: idParameter,
        response: {
          202: answers('Canceled.', 'Export'),
          200: answers('It had been canceled before.', 'Export'),
          ...problems(404, 409),
        },
      },
    },
    async (request, reply) => {
      const { record, changed } = await cancelExport(seenBy(request), request.params.id)
      return sendExport(deps, reply, changed ? 202 : 200, record)
    },
  )

  app.delete<ById>(
    '/exports/:id',
    {
      config: { permission: 'request' },
      schema: {
        summary: 'Delete the artifact of a finished export; its record stays',
        params: idParameter,
        response: {
          204: answersNothing('Deleted, or there was nothing to delete.'),
          ...problems(404, 409),
        },
      },
    },
    async (request, reply) => {
      await deleteExport(seenBy(request), request.params.id)
      return reply.code(204).send()
    },
  )
}

/**
 * A request for one tenant must not become one for all, nor may parameters in the query string be
 * passed over.
 * @throws SpecError
 */
function refuseWhatWouldBeIgnored({ headers, query }: FastifyRequest): void {
  const parameters = Object.keys(query as object).slice(0, 10)
  const problems = [
    ...tenancyProblems(headers),
    ...parameters.map(
      (name) => `${got(name)}: expected in the JSON body, got it in the query string`,
    ),
  ]
  if (problems.length > 0) throw new SpecError('SPEC_INVALID', `${problems.join('; ')}.`)
}

function parseListQuery(query: unknown) {
  const result = listQuery.safeParse(query)
  if (result.success) return result.data
  const known = Object.keys(listQuery.shape)
  throw new SpecError(
    'SPEC_INVALID',
    `${describeIssues(result.error, query, { known }).join('; ')}.`,
  )
}
