/**
 * Spans and traces in the words of OpenTelemetry, by its API alone: without an SDK that collects them, which
 * `tracing/` registers, all of this does next to nothing. https://opentelemetry.io/docs/specs/otel/trace/api/
 */
import {
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type SpanOptions,
} from '@opentelemetry/api'
import { ExportError } from '../errors.ts'
import { version } from '../version.ts'

export type { Attributes, Span } from '@opentelemetry/api'

/** Hands spans to the SDK that is registered when they begin. */
const tracer = trace.getTracer('longhaul', version)

/** Whether there is an SDK that collects spans. One that is never ended is sent nowhere. */
export const collectsSpans = (): boolean => isSpanContextValid(tracer.startSpan('').spanContext())

/**
 * Runs `work` as a span of its own, child of the one that is active here.
 * @throws what the work throws, after the span has it
 */
export const inSpan = <T>(
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> =>
  tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await work(span)
    } catch (error) {
      failSpan(span, error)
      throw error
    } finally {
      span.end()
    }
  })

/** What the span is about has failed. Neither its message nor its stack may hold a secret. */
export function failSpan(span: Span, cause: unknown): void {
  const error = cause instanceof Error ? cause : new TypeError(String(cause))
  span.recordException(error)
  span.setAttribute('error.type', error instanceof ExportError ? error.code : error.name)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

/** The active span, as a `traceparent` (W3C Trace Context); undefined where nothing is traced. */
export function activeTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent
}

/** Runs `work` as part of the trace that this belongs to, instead of the active one. Undefined: of none. */
export const inTraceOf = <T>(traceparent: string | undefined, work: () => T): T =>
  context.with(propagation.extract(ROOT_CONTEXT, { traceparent }), work)

/**
 * The same items, produced within the span that is active now: an iterator would otherwise work within that
 * of whoever asks it for the next one.
 */
export function inActiveSpan<T>(items: AsyncIterable<T>): AsyncIterable<T> {
  const here = context.active()
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]()
      return {
        next: () => context.with(here, () => iterator.next()),
        return: async (value?: unknown) =>
          (await context.with(here, () => iterator.return?.(value))) ?? { done: true, value },
      }
    },
  }
}

/** Where a line of the log belongs: its trace and span; nothing where nothing is traced. */
export function activeSpanFields(): Attributes {
  const span = trace.getActiveSpan()?.spanContext()
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId }
}
