/** The composition root of what deletes archived windows, and of what keeps them from it. */
import { unknownArchive } from './archive/coverage.ts'
import type { HoldDeps } from './archive/holds.ts'
import { planPrune, prune, type PrunedWindow, type PrunePlan } from './archive/prune.ts'
import { readDefinitions } from './compose-archive.ts'
import { composeBase } from './compose.ts'
import type { Config } from './config.ts'
import { SpecError } from './errors.ts'
import type { Logger } from './logger.ts'
import { createRegistry } from './metrics/registry.ts'
import { createArchiveLedger } from './postgres/archive-ledger.ts'
import { assertMigrated } from './postgres/migrate.ts'
import { createPool } from './postgres/pool.ts'
import { createRetentionLedger } from './postgres/retention-ledger.ts'
import { systemClock } from './runtime/clock.ts'
import { parseKeep, type KeepPolicy } from './runtime/keep-text.ts'
import { createResources } from './runtime/resources.ts'

export interface PruneRequest {
  /** Name of one archive; absent: all that are defined. */
  readonly archive?: string | undefined
  /** A policy that is tried in the place of those that are configured. */
  readonly keep?: string | undefined
  /** Deletes, and lets the nightly archive delete by these policies from now on. */
  readonly apply: boolean
  readonly signal: AbortSignal
  readonly onPlan?: (plan: PrunePlan) => void
  readonly onWindow?: (pruned: PrunedWindow) => void
}

export interface PrunedArchive {
  readonly plan: PrunePlan
  /** What was to be deleted, oldest first. */
  readonly pruned: readonly PrunedWindow[]
}

/**
 * Looks what the policies of the archives do not keep, or deletes it.
 * @throws ConfigError, SpecError when there is no such archive or the policy is none, SourceError, StoreError, the signal's reason
 */
export async function pruneArchives(
  config: Config,
  logger: Logger,
  { archive: name, keep, apply, signal, onPlan, onWindow }: PruneRequest,
): Promise<readonly PrunedArchive[]> {
  const tried = keep === undefined ? undefined : policyOf(keep)
  const known = readDefinitions(config.archive)
  const definitions = known.filter((each) => name === undefined || each.name === name)
  if (definitions.length === 0) throw unknownArchive(name ?? '', known)
  const resources = createResources()
  try {
    const base = await composeBase(config, logger, resources, createRegistry())
    const deps = { ...base, clock: systemClock, keyPrefix: config.keyPrefix }
    const entered = await base.ledger.listArchives()
    const done: PrunedArchive[] = []
    for (const definition of definitions) {
      const archive = entered.find((each) => each.name === definition.name)
      if (archive === undefined) continue
      const plan = await planPrune(deps, archive, tried ?? definition.keep)
      if (apply) await base.retention.confirmKeep(archive.name, plan.policy.text)
      onPlan?.(plan)
      const options = { signal, apply, ...(onWindow === undefined ? {} : { onWindow }) }
      done.push({ plan, pruned: await prune(deps, plan, options) })
    }
    return done
  } finally {
    await resources.release()
  }
}

function policyOf(text: string): KeepPolicy {
  const keep = parseKeep(text)
  if (!('problem' in keep)) return keep
  throw new SpecError('SPEC_INVALID', `keep: ${keep.problem}.`)
}

/** Places, lists or releases holds. @throws ConfigError when the control database is not migrated, and what the work throws */
export async function withHolds<T>(
  databaseUrl: string,
  work: (deps: HoldDeps, now: Date) => Promise<T>,
): Promise<T> {
  const pool = createPool(databaseUrl, { role: 'control database', connections: 2 })
  try {
    await assertMigrated(pool)
    const deps = { ledger: createArchiveLedger(pool), retention: createRetentionLedger(pool) }
    return await work(deps, systemClock.now())
  } finally {
    await pool.close()
  }
}
