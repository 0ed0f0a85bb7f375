import { randomUUID } from 'node:crypto'
import { SpecError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import { activeTraceparent } from '../runtime/trace.ts'
import type { ArchivePlace, ExportRecord } from './model.ts'
import type { ExportQueue, ExportRecords } from './ports.ts'
import { fingerprint, parseExportRequest, resolveSpec, type ExportRequest } from './spec.ts'

export interface RequestExportDeps {
  readonly records: Pick<ExportRecords, 'create'>
  readonly queue: Pick<ExportQueue, 'enqueue'>
  readonly clock: Clock
}

export interface RequestedExport {
  readonly record: ExportRecord
  /** False when the idempotency key had been used for the same request before. */
  readonly created: boolean
}

export interface RequestOptions {
  /** Name of the API key that asked. */
  readonly requestedBy?: string | undefined
  /** The client's own name for this request; the same name never makes two exports. */
  readonly idempotencyKey?: string | undefined
  /** Where its artifact belongs, if that is to be archived. */
  readonly archive?: ArchivePlace
}

/**
 * Accepts one request: checks it whole, writes its record, then wakes a worker.
 * @param input the body as it was sent
 * @throws SpecError (nothing was written), QueueError (the record stays, and is enqueued by a worker that looks for such)
 */
export const requestExport = async (
  deps: RequestExportDeps,
  input: unknown,
  options: RequestOptions = {},
): Promise<RequestedExport> => acceptExport(deps, parseExportRequest(input), options)

/**
 * The same for a request that is parsed already. The record comes first, so that a queue that fails
 * now loses no export.
 */
export async function acceptExport(
  { records, queue, clock }: RequestExportDeps,
  request: ExportRequest,
  { requestedBy, idempotencyKey, archive }: RequestOptions = {},
): Promise<RequestedExport> {
  const now = clock.now()
  const print = fingerprint(request)
  const outcome = await records.create({
    id: randomUUID(),
    spec: resolveSpec(request, now),
    archive,
    createdAt: now,
    fingerprint: print,
    traceparent: activeTraceparent(),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  })
  const { record, created } = outcome
  if (outcome.fingerprint !== print) {
    throw new SpecError(
      'IDEMPOTENCY_KEY_REUSED',
      `Idempotency-Key ${JSON.stringify(idempotencyKey)} was used for another request (export ${record.id}).`,
      { hint: 'Send a new key with a new request, or the old request with the old key.' },
    )
  }
  // also for a repeated request: the first one may have died between its record and its job
  if (record.state === 'queued') await queue.enqueue(record)
  return { record, created }
}
