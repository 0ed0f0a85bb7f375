import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type HTTPMethods,
} from 'fastify'
import type { Logger } from '../logger.ts'
import { KiB } from '../runtime/units.ts'
import { version } from '../version.ts'
import { problem, problemOf, sendProblem } from './problem.ts'
import { exportRoutes, type ExportRoutesDeps } from './routes/exports.ts'
import { healthRoutes } from './routes/health.ts'

const maxBodyBytes = 64 * KiB

export interface AppDeps extends ExportRoutesDeps {
  readonly logger: Logger
}

/** Builds the HTTP interface; the caller listens and closes. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  // as the framework's own type: pino's would make every other type here depend on it
  const loggerInstance: FastifyBaseLogger = deps.logger
  const app = Fastify({
    loggerInstance,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    genReqId: (request) => acceptedRequestId(request.headers['x-request-id']) ?? randomUUID(),
    bodyLimit: maxBodyBytes,
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, problemOf(error)),
  })
  readJsonOnly(app)
  // schemas describe; parsing is the domain's, whose messages name parameter, expected and got
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))

  app.setErrorHandler((error, request, reply) => {
    const body = problemOf(error)
    if (body.status >= 500) request.log.error({ err: error }, 'request failed')
    return sendProblem(reply, body)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      problem(404, 'ROUTE_NOT_FOUND', `There is nothing at ${request.url.split('?')[0] ?? ''}.`, {
        hint: 'GET /openapi.json lists what there is.',
      }),
    ),
  )
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, url } = request
    const ms = Math.round(reply.elapsedTime)
    request.log.info({ method, path: url.split('?')[0], status: reply.statusCode, ms }, 'request')
  })

  const refuseOtherMethods = collectMethods(app)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Longhaul',
        version,
        description: 'Exports time ranges of records from PostgreSQL to S3 as background jobs.',
      },
    },
  })
  await app.register((scope, _options, done) => {
    exportRoutes(scope, deps)
    healthRoutes(scope)
    done()
  })
  refuseOtherMethods()
  await app.ready()
  return app
}

/** A caller's own id is kept when it is harmless in a log line. */
const acceptedRequestId = (header: string | string[] | undefined) =>
  typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined

/** JSON is the only body there is; an empty one is none, so that `POST …/cancel` needs no body. */
function readJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parse(request, body as string, done)
  })
}

/**
 * Notes the methods of every route, to answer any other with 405 and `Allow`.
 * @returns call it once all routes are there
 */
function collectMethods(app: FastifyInstance): () => void {
  const methods = new Map<string, Set<string>>()
  let closed = false
  app.addHook('onRoute', ({ url, method }) => {
    if (closed) return
    const known = methods.get(url) ?? new Set<string>()
    for (const each of [method].flat()) known.add(each)
    methods.set(url, known)
  })
  return () => {
    closed = true
    for (const [url, known] of methods) {
      const others = app.supportedMethods.filter((method) => !known.has(method)) as HTTPMethods[]
      const allow = [...known].join(', ')
      app.route({
        url,
        method: others,
        schema: { hide: true },
        handler: (request, reply) =>
          sendProblem(
            reply.header('allow', allow),
            problem(
              405,
              'METHOD_NOT_ALLOWED',
              `${request.method} is not possible here; ${allow} is.`,
            ),
          ),
      })
    }
  }
}
