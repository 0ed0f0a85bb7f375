import { diag, DiagLogLevel } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import { version } from '../version.ts'

/** What is left to be sent when the process ends has so long, ms. */
const farewellMs = 5_000

/** A collector that is away is complained about at this interval, ms. */
const complaintMs = 60_000

export interface Tracing {
  /** Sends what there is. Never throws; safe to call again. */
  stop(): Promise<void>
}

/**
 * Collects the spans of this process from now on, and sends them to an OpenTelemetry collector. The SDK reads
 * where to, and what else may be set, from the `OTEL_` variables of process.env.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * @param name of the service, unless `OTEL_SERVICE_NAME` gives another
 */
export function startTracing(name: string, logger: Pick<Logger, 'warn'>): Tracing {
  diag.setLogger(complainTo(logger), DiagLogLevel.WARN)
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': name,
        'service.version': version,
        'service.instance.id': randomUUID(),
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }))
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  })
  // no baggage: what a client sends along would be kept with each job
  provider.register({ propagator: new W3CTraceContextPropagator() })
  return {
    async stop() {
      const sent = provider.shutdown().catch(() => undefined)
      await Promise.race([sent, sleep(farewellMs, undefined, { ref: false })])
    },
  }
}

/** The SDK repeats itself at each batch that it cannot send, and gives objects of its own as JSON. */
function complainTo(logger: Pick<Logger, 'warn'>) {
  let complainedAt = -Infinity
  function complain(message: string): void {
    if (performance.now() - complainedAt < complaintMs) return
    complainedAt = performance.now()
    logger.warn({ reason: message }, 'OpenTelemetry complains: traces may be missing')
  }
  const silent = () => undefined
  return { error: complain, warn: complain, info: silent, debug: silent, verbose: silent }
}
