/** The composition root of `longhaul verify`. */
import { readCoverage, type CoverageQuery } from './archive/coverage.ts'
import type { LedgerWindow } from './archive/model.ts'
import { composeBase, type Base } from './compose.ts'
import type { Config } from './config.ts'
import { StateError } from './errors.ts'
import type { ExportRecord } from './export/model.ts'
import type { Logger } from './logger.ts'
import { createRegistry } from './metrics/registry.ts'
import { createRowCounter } from './postgres/count-rows.ts'
import { systemClock } from './runtime/clock.ts'
import { createResources, type Resources } from './runtime/resources.ts'
import { statedByRecord, verifyArtifact, type Verdict } from './verify/verify-export.ts'
import { verifyWindow } from './verify/verify-window.ts'

export interface VerifyOptions {
  readonly againstSource: boolean
  readonly signal: AbortSignal
}

/** @throws ConfigError, NotFoundError, StateError when it has no artifact, SourceError, StoreError, the signal's reason */
export const verifyExport = (
  config: Config,
  logger: Logger,
  id: string,
  options: VerifyOptions,
): Promise<{ readonly record: ExportRecord; readonly verdict: Verdict }> =>
  withBase(config, logger, async (base) => {
    const record = await base.records.get(id)
    const stated = record.state === 'completed' ? statedByRecord(record) : undefined
    if (stated === undefined) {
      const code =
        record.state === 'queued' || record.state === 'running' ? 'EXPORT_NOT_READY' : 'EXPORT_GONE'
      throw new StateError(
        code,
        `Export ${id} is ${record.state}: there is no artifact to verify.`,
        record.state,
        {
          hint: 'Verify an export that is completed; `longhaul list` shows which are.',
        },
      )
    }
    const deps = {
      reader: base.reader,
      counter: options.againstSource ? openCounter(base.resources, config) : undefined,
    }
    return { record, verdict: await verifyArtifact(deps, stated, options) }
  })

export interface VerifyArchiveOptions extends VerifyOptions, Omit<CoverageQuery, 'archive'> {
  readonly archive: string
  /** Told of each window as soon as it is known. */
  readonly onWindow?: (verified: VerifiedWindow) => void
}

export interface VerifiedWindow {
  readonly window: LedgerWindow
  readonly verdict: Verdict
}

export interface VerifiedArchive {
  readonly windows: readonly VerifiedWindow[]
  /** How many windows of the range are not archived. */
  readonly others: number
  /** How many were deleted by policy. */
  readonly deleted: number
}

/**
 * Verifies the archived windows that begin in a range of dates, oldest first, of each the latest generation.
 * @throws ConfigError, SpecError when there is no such archive, SourceError, StoreError, the signal's reason
 */
export const verifyArchive = (
  config: Config,
  logger: Logger,
  { archive: name, from, to, onWindow, ...options }: VerifyArchiveOptions,
): Promise<VerifiedArchive> =>
  withBase(config, logger, async ({ resources, ledger, ...ports }) => {
    const query = { archive: name, from, to }
    const [coverage] = await readCoverage(ledger, query, systemClock.now())
    const entries = coverage?.windows.flatMap(({ entry }) => entry ?? []) ?? []
    const counter = options.againstSource ? openCounter(resources, config) : undefined
    const deps = { ...ports, counter, keyPrefix: config.keyPrefix }
    const verified: VerifiedWindow[] = []
    // one that failed for what somebody did to it in the bucket differs, too
    const isVerified = ({ state, error }: LedgerWindow) =>
      state === 'archived' || (state !== 'deleted' && error?.code === 'ARCHIVE_CORRUPT')
    for (const window of entries.filter(isVerified)) {
      const each = { window, verdict: await verifyWindow(deps, window, options) }
      onWindow?.(each)
      verified.push(each)
    }
    const deleted = entries.filter(({ state }) => state === 'deleted').length
    const others = (coverage?.windows.length ?? 0) - verified.length - deleted
    return { windows: verified, others, deleted }
  })

/** Runs with what server and worker share, and releases it. */
export async function withBase<T>(
  config: Config,
  logger: Logger,
  work: (base: Base) => Promise<T>,
): Promise<T> {
  const resources = createResources()
  try {
    return await work(await composeBase(config, logger, resources, createRegistry()))
  } finally {
    await resources.release()
  }
}

/** Counts what the source has; a count may take as long as an export. */
export function openCounter(resources: Resources, config: Config) {
  const limits = { stallMs: config.stallSeconds * 1000, maxMs: config.maxSeconds * 1000 }
  return resources.add(createRowCounter(config.sourceDatabaseUrl, limits), (counter) =>
    counter.close(),
  )
}
