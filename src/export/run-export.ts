/**
 * One attempt of an export, from snapshot to artifact. The page to read first: the middle stages of
 * the flow are the pipeline in `produceArtifact`.
 */
import type { DatasetQuery } from '../datasets/dataset.ts'
import { findDataset } from '../datasets/registry.ts'
import { encodeJsonArray } from '../encode/json-array.ts'
import { createTally, type Tally } from '../encode/tally.ts'
import { CanceledError, InterruptedError, errorFacts } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { Artifact, ExportRecord, ExportSpec } from './model.ts'
import { objectKey } from './object-key.ts'
import type { ArtifactStore, ExportRecords, RowSource, Snapshot } from './ports.ts'
import { decideRetry, type RetryLimits } from './retry-policy.ts'

export interface RunExportDeps {
  readonly records: ExportRecords
  readonly source: RowSource
  readonly artifacts: ArtifactStore
  readonly clock: Clock
  readonly settings: RunExportSettings
}

export interface RunExportSettings extends RetryLimits {
  readonly keyPrefix: string
  readonly leaseMs: number
  /** Between two writes of progress, ms. */
  readonly progressMs: number
  /** How long an artifact lives, ms. */
  readonly artifactTtlMs: number
}

/** What became of a job's export. */
export type RunOutcome =
  | { readonly outcome: 'completed'; readonly record: ExportRecord; readonly artifact: Artifact }
  /** The export is over by this attempt's error, or was canceled. */
  | { readonly outcome: 'failed' | 'canceled'; readonly error: Error }
  /** Another attempt follows, after a pause when there was an error. */
  | { readonly outcome: 'again' | 'interrupted'; readonly error: Error }
  /** Nothing to do: it had finished before. */
  | { readonly outcome: 'skipped' }
  /** Another worker has it, until then at least. */
  | { readonly outcome: 'busy'; readonly until: Date }

/**
 * Claims the export and runs one attempt. However it ends, the record says so, and neither a
 * connection nor an object without a record stays behind.
 * @param signal its reason decides: an InterruptedError gives the export back, uncounted
 * @throws NotFoundError when there is no record; control database errors
 */
export async function runExport(
  deps: RunExportDeps,
  id: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<RunOutcome> {
  const { records, clock, settings } = deps
  const record = await records.claim(id, { leaseMs: settings.leaseMs })
  if (record === undefined) {
    const { state, leaseUntil } = await records.get(id)
    const busy = state === 'running' && leaseUntil !== undefined
    return busy ? { outcome: 'busy', until: leaseUntil } : { outcome: 'skipped' }
  }

  const tally = createTally()
  try {
    const artifact = await runAttempt(deps, record, tally, signal)
    return { outcome: 'completed', record, artifact }
  } catch (cause) {
    const error = cause instanceof Error ? cause : new TypeError(String(cause))
    if (error instanceof CanceledError) return { outcome: 'canceled', error }
    if (error instanceof InterruptedError) {
      await records.release(record)
      return { outcome: 'interrupted', error }
    }
    const facts = errorFacts(error)
    const decision = decideRetry({ ...record, error: facts, rows: tally.rows }, settings)
    await records.fail(record, { ...decision, error: facts, rows: tally.rows, at: clock.now() })
    return { outcome: decision.again ? 'again' : 'failed', error }
  }
}

async function runAttempt(
  deps: RunExportDeps,
  record: ExportRecord,
  tally: Tally,
  outer: AbortSignal,
): Promise<Artifact> {
  const { records, source, clock, settings } = deps
  const facts: { snapshotAt?: Date; estimatedRows?: number | undefined } = {}
  const heartbeat = startHeartbeat(deps, {
    claim: record,
    leaseMs: settings.leaseMs,
    intervalMs: settings.progressMs,
    report: () => ({ rows: tally.rows, bytes: tally.bytes, ...facts }),
  })
  const signal = AbortSignal.any([outer, heartbeat.signal])
  let snapshot: Snapshot | undefined
  try {
    snapshot = await source.open({ signal })
    const queries = findDataset(record.spec.dataset).queries(selectionOf(record.spec))
    facts.snapshotAt = snapshot.at
    facts.estimatedRows = await snapshot.estimate(queries)
    await heartbeat.beat()

    const rows = snapshot.read(queries)
    const estimatedBytes = estimateBytes(queries, facts.estimatedRows)
    const artifact = await produceArtifact(deps, record, rows, tally, { signal, estimatedBytes })
    const finishedAt = clock.now()
    const expiresAt = new Date(finishedAt.getTime() + settings.artifactTtlMs)
    const times = { finishedAt, expiresAt, snapshotAt: snapshot.at }
    if (!(await records.complete(record, artifact, times))) {
      // canceled, or taken over, in the last moment: an object without a record must not stay
      await deps.artifacts.remove(artifact.key)
      throw await whyLost(records, record)
    }
    return artifact
  } catch (error) {
    // an aborted stage may fail in words of its own: the reason of the abort is what happened
    throw signal.aborted ? signal.reason : error
  } finally {
    await heartbeat.stop()
    await snapshot?.close()
  }
}

/** Rows to bytes to object: counted and digested as they pass, held nowhere. */
async function produceArtifact(
  { artifacts, settings }: RunExportDeps,
  record: ExportRecord,
  rows: AsyncIterable<readonly string[]>,
  tally: Tally,
  { signal, estimatedBytes }: { signal: AbortSignal; estimatedBytes: number | undefined },
): Promise<Artifact> {
  const contentType = 'application/json'
  const chunks = tally.measure(encodeJsonArray(tally.countRows(rows)))
  const stored = await artifacts.put(objectKey(settings.keyPrefix, record), chunks, {
    contentType,
    estimatedBytes,
    signal,
  })
  return { ...stored, rows: tally.rows, sha256: tally.sha256(), contentType }
}

/** A guess of the artifact's size, generous: too large a part costs memory, too many cost the export. */
const estimateBytes = (queries: readonly DatasetQuery[], estimatedRows: number | undefined) =>
  estimatedRows === undefined
    ? undefined
    : estimatedRows * Math.max(...queries.map(({ rowBytes }) => rowBytes))

const selectionOf = ({ range, filterEvents, filterState, exportContent }: ExportSpec) => ({
  from: range.from,
  to: range.to,
  events: filterEvents,
  state: filterState,
  content: exportContent,
})

async function whyLost(records: ExportRecords, { id, attempt }: ExportRecord): Promise<Error> {
  const { state } = await records.get(id)
  return state === 'canceled'
    ? new CanceledError(id)
    : new InterruptedError(`Attempt ${attempt} of export ${id} lost its lease.`)
}
