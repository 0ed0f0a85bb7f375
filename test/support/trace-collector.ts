import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffers, integer, messages, readFields, text, type Fields } from './protobuf.ts'
import type { Release } from './release.ts'

export interface CollectedSpan {
  readonly service: string
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Empty: it is the first of its trace. */
  readonly parentId: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly hasFailed: boolean
}

export interface TraceCollector {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string
  readonly spans: readonly CollectedSpan[]
  readonly headers: readonly IncomingHttpHeaders[]
}

/** Takes spans as a collector of OpenTelemetry does, by OTLP over HTTP. */
export async function startTraceCollector(release: Release): Promise<TraceCollector> {
  const spans: CollectedSpan[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      headers.push(request.headers)
      const isExpected =
        request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf'
      if (isExpected) spans.push(...readSpans(Buffer.concat(chunks)))
      response.writeHead(isExpected ? 200 : 400).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  release(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return { endpoint: `http://127.0.0.1:${port}`, spans, headers }
}

/** Field numbers of opentelemetry/proto/trace/v1/trace.proto. */
function readSpans(body: Buffer): readonly CollectedSpan[] {
  return messages(readFields(body), 1).flatMap((ofResource) => {
    const service = String(
      messages(ofResource, 1).map((resource) => readAttributes(resource, 1))[0]?.['service.name'],
    )
    const spans = messages(ofResource, 2).flatMap((ofScope) => messages(ofScope, 2))
    return spans.map((span) => ({
      service,
      name: text(span, 5),
      traceId: hex(span, 1),
      spanId: hex(span, 2),
      parentId: hex(span, 4),
      attributes: readAttributes(span, 9),
      hasFailed: messages(span, 15).some((status) => integer(status, 3) === 2),
    }))
  })
}

const hex = (fields: Fields, number: number) => buffers(fields, number)[0]?.toString('hex') ?? ''

function readAttributes(fields: Fields, number: number): Readonly<Record<string, string | number>> {
  const entries = messages(fields, number).map((pair) => {
    const [value] = messages(pair, 2)
    if (value === undefined) return [text(pair, 1), ''] as const
    return [text(pair, 1), value.has(1) ? text(value, 1) : integer(value, 3)] as const
  })
  return Object.fromEntries(entries)
}
