import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ExportError, StateError } from '../errors.ts'

/** RFC 9457 problem details, with our code and what to do. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly hint?: string
  /** State of the export that stood in the way. */
  readonly state?: string
}

/** Every code that a client can meet. What is not listed is a bug, and shows as 500 INTERNAL. */
const statusOfCode: Readonly<Record<string, number>> = {
  SPEC_INVALID: 400,
  SPEC_UNKNOWN_DATASET: 400,
  IDEMPOTENCY_KEY_REUSED: 422,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  EXPORT_NOT_FOUND: 404,
  ARCHIVE_UNKNOWN: 404,
  WINDOW_UNKNOWN: 404,
  EXPORT_NOT_READY: 409,
  EXPORT_FINISHED: 409,
  EXPORT_ARCHIVED: 409,
  EXPORT_CANCELED: 409,
  EXPORT_GONE: 410,
  EXPORT_EXPIRED: 410,
  RATE_LIMITED: 429,
  STREAMS_BUSY: 503,
  EXPORT_INTERRUPTED: 503,
  SOURCE_UNAVAILABLE: 503,
  SOURCE_TIMEOUT: 503,
  SOURCE_CONFLICT: 503,
  SOURCE_BEHIND: 503,
  SOURCE_QUERY_FAILED: 500,
  ENCODE_UNSUPPORTED_VALUE: 500,
  STORE_UNAVAILABLE: 503,
  STORE_SLOW_DOWN: 503,
  STORE_DENIED: 500,
  STORE_NO_BUCKET: 500,
  STORE_REJECTED: 500,
  ARCHIVE_CORRUPT: 500,
  QUEUE_UNAVAILABLE: 503,
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Body too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Unavailable',
}

/** What the framework refuses before a handler runs. */
const frameworkCodes: Readonly<Record<string, { code: string; detail: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'BODY_TOO_LARGE', detail: 'The body is larger than 64 KiB.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: 'Send the body as JSON, with Content-Type: application/json.',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'BAD_REQUEST',
    detail: 'The body is not as long as its Content-Length says.',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    code: 'BODY_NOT_JSON',
    detail: 'The body is not valid JSON, or uses the key "__proto__".',
  },
  FST_ERR_BAD_URL: { code: 'BAD_REQUEST', detail: 'The path is not a valid URL path.' },
}

export function problem(
  status: number,
  code: string,
  detail: string,
  extra: { readonly hint?: string | undefined; readonly state?: string } = {},
): Problem {
  const { hint, state } = extra
  return {
    type: `urn:longhaul:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: titles[status] ?? 'Error',
    status,
    detail,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(state === undefined ? {} : { state }),
  }
}

/** The one place that turns an error into a status. An unknown error never shows its text. @param path that was asked for */
export function problemOf(error: unknown, path = ''): Problem {
  if (error instanceof ExportError) {
    const status = statusOfCode[error.code] ?? 500
    const state = error instanceof StateError ? { state: error.state } : {}
    return problem(status, error.code, error.message, { hint: error.hint, ...state })
  }
  const { code = '', statusCode = 500 } = (error ?? {}) as Partial<FastifyError>
  // what the router finds too long is an id that no export has, or a name that nothing has
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') {
    if (path.startsWith('/archives/')) {
      const nothing = 'There is no archive, and no window, with so long a name.'
      return problem(404, 'ARCHIVE_UNKNOWN', nothing, { hint: 'GET /archives lists them.' })
    }
    return problem(404, 'EXPORT_NOT_FOUND', 'There is no export with so long an id.')
  }
  const known = frameworkCodes[code]
  if (known !== undefined) return problem(statusCode, known.code, known.detail)
  if (statusCode >= 400 && statusCode < 500) {
    return problem(statusCode, 'BAD_REQUEST', 'The request could not be understood.')
  }
  return problem(500, 'INTERNAL', 'An unexpected error happened.', {
    hint: "Look for this answer's X-Request-Id in the server's log, which has the details.",
  })
}

/** What a client may send that has no key yet (RFC 9110, section 11.6.1). */
const challenges = 'Bearer realm="longhaul", Basic realm="longhaul"'

/** When to try again what cannot be done now, seconds. */
const retryAfterSeconds = 5

/**
 * Answers with a problem, in the shape of the API that the request was meant for.
 * @param cause the error it was made of, if there was one
 */
export function sendProblem(reply: FastifyReply, body: Problem, cause?: unknown): FastifyReply {
  if (body.status === 503) void reply.header('retry-after', String(retryAfterSeconds))
  if (body.status === 401) void reply.header('www-authenticate', challenges)
  void reply.code(body.status)
  return isContextServices(reply.request)
    ? reply.type('application/json').send(contextServicesError(body, cause))
    : reply.type('application/problem+json').send(body)
}

/** By the route, where there is one: the same path can be written in several ways. */
const isContextServices = ({ url, routeOptions }: FastifyRequest) =>
  (routeOptions.url ?? url).startsWith('/genesys/1/cs/')

/** The original API's error: a message, and a class of exception. */
const contextServicesError = ({ detail, hint, status }: Problem, cause: unknown) => ({
  message: hint === undefined ? detail : `${detail} ${hint}`,
  exception: cause instanceof ExportError ? cause.name : classOfStatus(status),
})

/** What no error of ours stands behind: the framework, the router, or a bug. */
const classOfStatus = (status: number) =>
  status === 404 ? 'NotFoundError' : status < 500 ? 'SpecError' : 'InternalError'
