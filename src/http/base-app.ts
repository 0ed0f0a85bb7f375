import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { AccessError, BusyError, InterruptedError, type ExportError } from '../errors.ts'
import type { ApiKey } from '../config/api-keys.ts'
import type { Logger } from '../logger.ts'
import { collectsSpans } from '../runtime/trace.ts'
import { KiB } from '../runtime/units.ts'
import { guardRoutes, type Caller } from './access.ts'
import { clientPatience, refuseClients, type ClientPatience } from './refuse-client.ts'
import { operationsPaths } from './routes/operations.ts'
import { traceRequests } from './trace-requests.ts'
import { problem, problemOf, sendProblem, type Problem } from './problem.ts'

const maxBodyBytes = 64 * KiB

/** A request that was answered. */
export interface Answered {
  readonly method: string
  /** As it is declared, such as `/exports/:id`. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

export interface BaseAppOptions {
  readonly logger: Logger
  /** Who may ask. None: anybody, who then must be on this machine. */
  readonly apiKeys: readonly ApiKey[]
  /** Told of each answer. */
  readonly onAnswer?: ((answered: Answered) => void) | undefined
  /** With slow clients. */
  readonly patience?: ClientPatience
  /** Where to look, for whoever asks for what is not there. */
  readonly missHint: string
}

/** What every HTTP interface of ours has: ids of requests, problems, a line in the log, JSON bodies. */
export function createBaseApp({
  logger,
  apiKeys,
  onAnswer,
  missHint,
  patience = clientPatience,
}: BaseAppOptions): FastifyInstance {
  // as the framework's own type: pino's would make every other type here depend on it
  const loggerInstance: FastifyBaseLogger = logger
  const app = Fastify({
    loggerInstance,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'request_id',
    }),
    genReqId: (request) => acceptedRequestId(request.headers['x-request-id']) ?? randomUUID(),
    bodyLimit: maxBodyBytes,
    forceCloseConnections: 'idle',
    // what still comes on a connection that is busy is answered like any other request
    return503OnClosing: false,
    // a client that never ends its request must neither hold a connection nor the end of the server
    requestTimeout: patience.requestMs,
    http: {
      headersTimeout: patience.headersMs,
      connectionsCheckingInterval: patience.lookMs,
      // it would answer 400 itself, without a word
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) => refuse(error, socket),
    // a path that the router itself refuses meets no hook
    frameworkErrors: (error, request, reply) => {
      void addHeaders(request, reply)
      void sendProblem(reply, problemOf(error, request.url), error)
      logAnswer(request, reply)
    },
  })
  const refuse = refuseClients(app.server)
  readJsonOnly(app)
  // what is expected besides 100-continue may be passed over (RFC 9110, section 10.1.1); node:http would answer itself
  app.server.on('checkExpectation', (...answering) => app.server.emit('request', ...answering))
  // schemas describe; parsing is the domain's, whose messages name parameter, expected and got
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setErrorHandler((error, request, reply) => {
    const body = problemOf(error)
    if (isExpected(error)) request.log.info({ code: error.code }, 'request turned away')
    else if (body.status >= 500) request.log.error({ err: error }, 'request failed')
    return sendProblem(reply, body, error)
  })

  // three hooks fewer for each request
  if (collectsSpans()) traceRequests(app, operationsPaths)
  const explainMiss = collectRoutes(app, missHint)
  app.addHook('onRequest', (request, reply, done) => {
    addHeaders(request, reply)
    if (request.raw.httpVersion === '1.1' && countHosts(request.raw) !== 1) {
      // whoever sends that is not to go on (RFC 9112, section 3.2)
      void reply.header('connection', 'close')
      void sendProblem(reply, problem(400, 'BAD_REQUEST', 'The request needs one Host header.'))
    }
    // before its body is read: what nobody answers needs no body
    else if (request.is404) void sendProblem(reply, explainMiss(request, reply))
    else done()
  })
  guardRoutes(app, apiKeys)
  app.addHook('onResponse', (request, reply, done) => {
    logAnswer(request, reply)
    // paths that nobody declared are any number
    const { method, routeOptions } = request
    const { url: route = 'none' } = routeOptions
    onAnswer?.({ method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 })
    done()
  })
  return app
}

/** What a server says that is full, stopping, or locked: nobody needs to look at it. */
const isExpected = (error: unknown): error is ExportError =>
  error instanceof BusyError || error instanceof InterruptedError || error instanceof AccessError

/** A caller's own id is kept when it is harmless in a log line. */
const acceptedRequestId = (header: string | string[] | undefined) =>
  typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined

/** What is answered is data: no browser is to show it as a page, guess its type, or put it in a frame. */
const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}

const addHeaders = (request: FastifyRequest, reply: FastifyReply) =>
  reply.headers({ 'x-request-id': request.id, ...securityHeaders })

/** `headers` has the first one only, and `headersDistinct` is made of all headers, for each request. */
const countHosts = ({ rawHeaders }: IncomingMessage) =>
  rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length

const pathOf = (request: FastifyRequest) => request.url.split('?')[0] ?? ''

function logAnswer(request: FastifyRequest, reply: FastifyReply): void {
  const ms = Math.round(reply.elapsedTime)
  const { method } = request
  // a request that was turned away has none
  const caller = request.caller as Caller | undefined
  const key = caller?.name === undefined ? {} : { key: caller.name }
  const path = pathOf(request)
  // asked for every few seconds by machines
  const level = reply.statusCode < 400 && operationsPaths.has(path) ? 'debug' : 'info'
  request.log[level]({ method, path, status: reply.statusCode, ms, ...key }, 'request')
}

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
 * Notes every route that is added from here on.
 * @returns what to answer where there is none: 405 with `Allow` when only the method is wrong, else 404
 */
function collectRoutes(
  app: FastifyInstance,
  missHint: string,
): (request: FastifyRequest, reply: FastifyReply) => Problem {
  const routes = new Map<string, { matches: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const matches = new RegExp(`^${url.replace(/:\w+/g, '[^/]+')}$`)
    const route = routes.get(url) ?? { matches, methods: new Set() }
    for (const each of [method].flat()) route.methods.add(each)
    routes.set(url, route)
  })
  return (request, reply) => {
    const path = pathOf(request)
    const route = [...routes.values()].find(({ matches }) => matches.test(path))
    if (route === undefined) {
      return problem(404, 'ROUTE_NOT_FOUND', `There is nothing at ${path}.`, {
        hint: missHint,
      })
    }
    const allow = [...route.methods].join(', ')
    void reply.header('allow', allow)
    const detail = `${request.method} is not possible here; ${allow} is.`
    return problem(405, 'METHOD_NOT_ALLOWED', detail)
  }
}
