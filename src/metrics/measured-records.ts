import { Counter, Gauge, Histogram } from 'prom-client'
import type { Claim, ExportRecord } from '../export/model.ts'
import type { ExportRecords } from '../export/ports.ts'
import type { Registry } from './registry.ts'

/** From an export that is all but empty to one that takes a night, seconds. */
const durationBuckets = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14_400, 43_200]
/** From a worker that is idle to a queue that nobody works off, seconds. */
const waitBuckets = [0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400]

/**
 * Counts what this process does to the records of exports: what it was asked for, what it runs, how that
 * ends. The sum over all processes is that of all exports.
 */
export function measuredRecords(records: ExportRecords, registry: Registry): ExportRecords {
  const registers = [registry]
  const byDataset = { labelNames: ['dataset'] as const, registers }
  const requested = new Counter({
    name: 'longhaul_exports_requested_total',
    help: 'Exports that were accepted.',
    ...byDataset,
  })
  const ended = new Counter({
    name: 'longhaul_exports_ended_total',
    help: 'Exports that became completed, failed, canceled or, once completed, expired.',
    labelNames: ['dataset', 'state'] as const,
    registers,
  })
  const errors = new Counter({
    name: 'longhaul_attempt_errors_total',
    help: 'Attempts that ended by an error, by its code; again: whether another attempt follows.',
    labelNames: ['code', 'again'] as const,
    registers,
  })
  const interruptions = new Counter({
    name: 'longhaul_attempts_interrupted_total',
    help: 'Attempts that were given back or had lost their lease: a worker stopped, or was too late.',
    registers,
  })
  const rows = new Counter({
    name: 'longhaul_exported_rows_total',
    help: 'Rows of completed exports.',
    ...byDataset,
  })
  const bytes = new Counter({
    name: 'longhaul_exported_bytes_total',
    help: 'Bytes of completed exports, as they are stored.',
    ...byDataset,
  })
  const duration = new Histogram({
    name: 'longhaul_export_duration_seconds',
    help: 'From the first attempt of an export to its completion.',
    buckets: durationBuckets,
    ...byDataset,
  })
  const wait = new Histogram({
    name: 'longhaul_export_queue_seconds',
    help: 'From the request of an export to its first attempt.',
    buckets: waitBuckets,
    ...byDataset,
  })
  /** What this process has claimed. */
  const held = new Map<string, ExportRecord>()
  new Gauge({
    name: 'longhaul_exports_running',
    help: 'Exports that this process runs.',
    registers,
    collect() {
      this.set(held.size)
    },
  })

  const nameOf = ({ id, attempt }: Claim) => `${id}/${attempt}`
  const letGo = (claim: Claim) => {
    const record = held.get(nameOf(claim))
    held.delete(nameOf(claim))
    return record
  }
  const countEnd = (record: ExportRecord | undefined, state: string) => {
    if (record !== undefined) ended.inc({ dataset: record.spec.dataset, state })
  }

  return {
    ...records,
    async create(draft) {
      const outcome = await records.create(draft)
      if (outcome.created) requested.inc({ dataset: draft.spec.dataset })
      return outcome
    },
    async claim(id, options) {
      const record = await records.claim(id, options)
      if (record === undefined) return undefined
      held.set(nameOf(record), record)
      const { dataset } = record.spec
      if (record.attempt === 1)
        wait.observe({ dataset }, seconds(record.createdAt, record.startedAt))
      return record
    },
    async complete(claim, artifact, times) {
      const done = await records.complete(claim, artifact, times)
      const record = done ? letGo(claim) : undefined
      if (record !== undefined) {
        const { dataset } = record.spec
        countEnd(record, 'completed')
        rows.inc({ dataset }, artifact.rows)
        bytes.inc({ dataset }, artifact.bytes)
        duration.observe({ dataset }, seconds(record.startedAt, times.finishedAt))
      }
      return done
    },
    async fail(claim, failure) {
      const record = letGo(claim)
      const done = await records.fail(claim, failure)
      if (done) errors.inc({ code: failure.error.code, again: String(failure.again) })
      if (done && !failure.again) countEnd(record, 'failed')
      return done
    },
    async release(claim) {
      letGo(claim)
      const done = await records.release(claim)
      interruptions.inc()
      return done
    },
    async cancel(id, at) {
      const record = await records.cancel(id, at)
      countEnd(record, 'canceled')
      return record
    },
    async expire(id, at) {
      const record = await records.expire(id, at)
      countEnd(record, 'expired')
      return record
    },
  }
}

/** Between instants of two clocks, the earlier of which may be ahead. */
const seconds = (from: Date | undefined, to: Date | undefined) =>
  from === undefined || to === undefined ? 0 : Math.max(0, to.getTime() - from.getTime()) / 1000
