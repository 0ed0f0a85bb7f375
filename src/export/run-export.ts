/**
 * One attempt of an export, from snapshot to artifact. The page to read first; the middle stages of
 * the flow are the pipeline of `produce-artifact.ts`.
 */
import { encodings } from '../encode/format.ts'
import { createTally, type Tally } from '../encode/tally.ts'
import {
  AbandonedError,
  CanceledError,
  InterruptedError,
  errorFacts,
  type ErrorFacts,
} from '../errors.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'
import { inActiveSpan } from '../runtime/trace.ts'
import { admitAfter } from './admit-exports.ts'
import { startHeartbeat } from './heartbeat.ts'
import type { Artifact, ExportRecord } from './model.ts'
import type { ArtifactStore, ExportQueue, ExportRecords, RowSource, Snapshot } from './ports.ts'
import { estimateBytes, produceArtifact } from './produce-artifact.ts'
import { assertSettled } from './assert-settled.ts'
import { readToEnd } from './read-to-end.ts'
import { refuseArchived, type RefuseArchivedDeps } from './refuse-archived.ts'
import { removeLeftovers } from './remove-leftovers.ts'
import { decideRetry, type RetryDecision, type RetryLimits } from './retry-policy.ts'
import { queriesOf } from './spec.ts'
import { traceAttempt } from './trace-attempt.ts'
import { takeExport, type NotNow, type TakeSettings } from './take-export.ts'
import { startWatchdog } from './watchdog.ts'

export interface RunExportDeps extends RefuseArchivedDeps {
  readonly records: ExportRecords
  /** Of exports that were held back until this one ended. */
  readonly queue: Pick<ExportQueue, 'enqueue'>
  readonly source: RowSource
  readonly artifacts: ArtifactStore
  readonly clock: Clock
  readonly settings: RunExportSettings
}

export interface RunExportSettings extends RetryLimits, TakeSettings {
  readonly keyPrefix: string
  /** An attempt that does not move for so long is ended, ms. */
  readonly stallMs: number
  /** An export that has not finished for so long after its first claim is given up, ms. */
  readonly maxMs: number
  /** Between two writes of progress, ms. */
  readonly progressMs: number
  /** How long an artifact lives, ms. */
  readonly artifactTtlMs: number
}

/** What became of a job's export. */
export type RunOutcome = (AttemptOutcome & { readonly attempt: number }) | NotNow

type AttemptOutcome =
  | { readonly outcome: 'completed'; readonly record: ExportRecord; readonly artifact: Artifact }
  /** The export is over by this attempt's error, or was canceled. */
  | { readonly outcome: 'failed' | 'canceled'; readonly error: Error }
  /** Another attempt follows, after a pause when there was an error. */
  | { readonly outcome: 'again' | 'interrupted'; readonly error: Error }

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
  const taken = await takeExport(deps, id)
  if ('outcome' in taken) return taken
  try {
    const result = await traceAttempt(taken, () => runClaimed(deps, taken, signal))
    return { ...result, attempt: taken.attempt }
  } finally {
    await admitAfter(deps, taken)
  }
}

async function runClaimed(
  deps: RunExportDeps,
  record: ExportRecord,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { settings } = deps
  const attempt: Attempt = { record, tally: createTally() }
  try {
    await refuseArchived(deps, record, { ms: cleanUpMs(settings) / 2, signal })
    const clean = await cleanUpBehind(deps, record, signal)
    if (isUsedUp(record, settings)) return await abandon(deps, record)
    const artifact = await runAttempt(deps, attempt, signal)
    // a store that was away then has taken the artifact meanwhile
    if (!clean) await cleanUpBehind(deps, record, signal)
    return { outcome: 'completed', record, artifact }
  } catch (cause) {
    const error = cause instanceof Error ? cause : new TypeError(String(cause))
    return endAttempt(deps, attempt, error)
  }
}

/** How long the earlier attempts are cleaned up behind, ms; with what comes before, part of the lease, which is not renewed yet. */
const cleanUpMs = ({ leaseMs }: RunExportSettings) => Math.min(5_000, leaseMs / 2)

/** How long the removal of an object that did not win is waited for, ms. */
const removalMs = 10_000

/**
 * Whether nothing of earlier attempts is left. Never throws: a store that fails will show it in the attempt
 * itself, and the sweep finds what is left in the end.
 */
async function cleanUpBehind(
  { artifacts, settings }: RunExportDeps,
  record: ExportRecord,
  outer: AbortSignal,
): Promise<boolean> {
  if (record.attempt === 1) return true
  const signal = abortAfter(cleanUpMs(settings), outer)
  const deps = { artifacts, keyPrefix: settings.keyPrefix }
  return untilAborted(removeLeftovers(deps, record, { signal }), signal).then(
    () => true,
    () => false,
  )
}

/** What an attempt knows of itself, also after it has failed. */
interface Attempt {
  readonly record: ExportRecord
  readonly tally: Tally
  /** Once it is stored; whether the record knows it is another question. */
  artifact?: Artifact
}

const isUsedUp = (record: ExportRecord, { maxFailures, maxAttempts }: RunExportSettings) =>
  record.failures >= maxFailures || countAttempts(record) > maxAttempts

/** A worker that dies, such as by lack of memory, reports no error: its claims are what counts. */
async function abandon(
  { records, clock }: RunExportDeps,
  record: ExportRecord,
): Promise<AttemptOutcome> {
  const { attempt, failures } = record
  const error = new AbandonedError(
    `Given up: ${attempt - 1} attempts ended, ${failures} of them without progress.`,
  )
  const facts = errorFacts(error)
  await records.fail(record, { error: facts, again: false, failures, rows: 0, at: clock.now() })
  return { outcome: 'failed', error }
}

async function runAttempt(
  deps: RunExportDeps,
  attempt: Attempt,
  outer: AbortSignal,
): Promise<Artifact> {
  const { records, source, clock, settings } = deps
  const { record, tally } = attempt
  const facts: { snapshotAt?: Date; estimatedRows?: number | undefined } = {}
  const heartbeat = startHeartbeat(deps, {
    claim: record,
    leaseMs: settings.leaseMs,
    intervalMs: settings.progressMs,
    report: () => ({ rows: tally.rows, bytes: tally.bytes, ...facts }),
  })
  const { maxMs, stallMs } = settings
  const deadline = new Date(clock.now().getTime() + maxMs - msBefore(record))
  const watchdog = startWatchdog(deps, { stallMs, deadline, maxMs })
  const signal = AbortSignal.any([outer, heartbeat.signal, watchdog.signal])
  let snapshot: Snapshot | undefined
  try {
    snapshot = await source.open({ signal })
    const queries = queriesOf(record.spec)
    assertSettled(record, snapshot)
    facts.snapshotAt = snapshot.at
    facts.estimatedRows = await snapshot.estimate(queries)
    await untilAborted(heartbeat.beat(), signal)

    const estimatedBytes = estimateBytes(queries, facts.estimatedRows)
    // reading is no part of the upload, although that is what asks for rows
    const { separator } = encodings[record.spec.format]
    const rows = inActiveSpan(readToEnd(snapshot, queries, { separator }))
    const options = { tally, signal, estimatedBytes }
    attempt.artifact = await produceArtifact(deps, record, watchdog.watch(rows), options)
    const finishedAt = clock.now()
    const expiresAt =
      record.archive === undefined
        ? new Date(finishedAt.getTime() + settings.artifactTtlMs)
        : undefined
    const replayedAt = snapshot.standby?.replayedAt
    const times = { finishedAt, expiresAt, snapshotAt: snapshot.at, replayedAt }
    if (await records.complete(record, attempt.artifact, times)) return attempt.artifact
    throw new InterruptedError(`Attempt ${record.attempt} of export ${record.id} lost its lease.`)
  } catch (error) {
    // an aborted stage may fail in words of its own: the reason of the abort is what happened
    throw signal.aborted ? signal.reason : error
  } finally {
    watchdog.stop()
    await heartbeat.stop()
    await snapshot?.close()
  }
}

/**
 * Writes down how an attempt ended that did not see its completion. Only when its claim is gone, by
 * its own hand or by another's, may its object go: until then a completion whose answer was lost
 * could still come true.
 */
async function endAttempt(
  { records, artifacts, clock, settings }: RunExportDeps,
  { record, tally, artifact }: Attempt,
  error: Error,
): Promise<AttemptOutcome> {
  const interrupted = error instanceof InterruptedError
  const happened = errorFacts(error)
  const ended = { ...record, attempt: countAttempts(record), error: happened, rows: tally.rows }
  const decision = decideRetry(ended, settings)
  const facts = { ...happened, ...givenUp(happened, decision) }
  const gaveUpClaim = interrupted
    ? await records.release(record)
    : await records.fail(record, { ...decision, error: facts, rows: tally.rows, at: clock.now() })

  const now = gaveUpClaim ? undefined : await records.get(record.id)
  const completed = now?.state === 'completed' && now.attempt === record.attempt
  if (completed && artifact !== undefined) return { outcome: 'completed', record: now, artifact }
  if (artifact !== undefined) {
    // the store tells of a failure itself, and the sweep finds what is left
    const limit = abortAfter(removalMs)
    await untilAborted(artifacts.remove(artifact.key), limit).catch(() => undefined)
  }
  if (now?.state === 'canceled') return { outcome: 'canceled', error: new CanceledError(record.id) }
  if (interrupted || now !== undefined) return { outcome: 'interrupted', error }
  return { outcome: decision.again ? 'again' : 'failed', error }
}

/** Those that were interrupted do not count: a rollout of many restarts must not fail an export. */
const countAttempts = ({ attempt, history }: ExportRecord) =>
  attempt - history.filter(({ outcome }) => outcome === 'interrupted').length

/** An error that may pass, and yet is the last one: says why nobody tries again. */
const givenUp = ({ retryable, message }: ErrorFacts, { reason }: RetryDecision) =>
  retryable && reason !== undefined ? { message: `${message} Given up after ${reason}.` } : {}

/** How long ago the first attempt began when this one did, ms: by the control database's clock alone. */
const msBefore = ({ startedAt, attemptAt }: ExportRecord) =>
  startedAt === undefined || attemptAt === undefined ? 0 : attemptAt.getTime() - startedAt.getTime()
