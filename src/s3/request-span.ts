import type { S3Client } from '@aws-sdk/client-s3'
import { SpanKind } from '@opentelemetry/api'
import { inSpan } from '../runtime/trace.ts'

type Command = Parameters<S3Client['send']>[0]

/** Runs a request as a span, named as OpenTelemetry's conventions for S3 have it. */
export function inRequestSpan<T>(command: Command, send: () => Promise<T>): Promise<T> {
  const { input } = command
  const operation = command.constructor.name.replace(/Command$/, '')
  const part = 'PartNumber' in input ? { 'aws.s3.part_number': Number(input.PartNumber) } : {}
  const attributes = { 'rpc.system': 'aws-api', 'rpc.method': `S3/${operation}`, ...part }
  return inSpan(`S3/${operation}`, { kind: SpanKind.CLIENT, attributes }, send)
}
