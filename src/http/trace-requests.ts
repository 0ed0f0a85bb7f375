import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { version } from '../version.ts'

/**
 * Each request as a span, part of the trace that its `traceparent` names; what its handler does is within it.
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 * @param untraced paths that machines ask for every few seconds
 */
export function traceRequests(app: FastifyInstance, untraced: ReadonlySet<string>): void {
  const tracer = trace.getTracer('longhaul', version)
  const traced = new WeakMap<FastifyRequest, { readonly span: Span; readonly within: Context }>()

  app.addHook('onRequest', (request, _reply, done) => {
    const [path = ''] = request.url.split('?')
    if (untraced.has(path)) {
      done()
      return
    }
    const { method, routeOptions } = request
    const route = routeOptions.url
    const name = route === undefined ? method : `${method} ${route}`
    const attributes = {
      'http.request.method': method,
      'url.scheme': request.protocol,
      // never the query, in which somebody may have put a key
      'url.path': path,
      'longhaul.request_id': request.id,
      ...(route === undefined ? {} : { 'http.route': route }),
    }
    const parent = propagation.extract(ROOT_CONTEXT, request.headers)
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
    traced.set(request, { span, within: trace.setSpan(parent, span) })
    done()
  })
  // not sooner: a body that arrives later would lead out of it again
  app.addHook('preHandler', (request, _reply, done) => {
    context.with(traced.get(request)?.within ?? context.active(), done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const entry = traced.get(request)
    if (entry === undefined) {
      done()
      return
    }
    const { span, within } = entry
    const { statusCode } = reply
    span.setAttribute('http.response.status_code', statusCode)
    if (statusCode >= 500) {
      span.setAttribute('error.type', String(statusCode))
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end()
    // the line in the log belongs to it
    context.with(within, done)
  })
}
