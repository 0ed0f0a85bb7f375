import {
  context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ROOT_CONTEXT,
  trace,
  type Context,
} from '@opentelemetry/api'
import { SpanKind, type Telemetry } from 'bullmq'
import { BullMQOtel, BullMQOTelSpan } from 'bullmq-otel'
import { version } from '../version.ts'

/**
 * BullMQ's own spans, which join the one that adds a job and the one that runs it. What a queue does for itself,
 * such as to look for the next job, would be a trace each time: it is left out. So is, where nothing is
 * traced, what a job would carry.
 */
export function queueTelemetry(): Telemetry<Context> {
  const { tracer, contextManager } = new BullMQOtel({ tracerName: 'longhaul', version })
  return {
    tracer: {
      startSpan(name, options: { kind?: SpanKind } = {}, parent = context.active()) {
        const isHousekeeping =
          options.kind === SpanKind.INTERNAL && trace.getSpan(parent) === undefined
        return isHousekeeping ? notTraced() : tracer.startSpan(name, options, parent)
      },
    },
    contextManager: {
      with: (within: Context, work) => contextManager.with(within, work),
      active: () => contextManager.active(),
      fromMetadata: (active: Context, metadata) => contextManager.fromMetadata(active, metadata),
      getMetadata: (of: Context) => (isTraced(of) ? contextManager.getMetadata(of) : ''),
      root: () => ROOT_CONTEXT,
    },
  }
}

const notTraced = () => new BullMQOTelSpan(trace.wrapSpanContext(INVALID_SPAN_CONTEXT))

const isTraced = (within: Context) =>
  isSpanContextValid(trace.getSpanContext(within) ?? INVALID_SPAN_CONTEXT)
