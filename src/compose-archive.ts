/** The composition root of the archives. */
import { readFileSync } from 'node:fs'
import { exportJob } from '../jobs/export.ts'
import { nightlyArchiveJob, type Archive } from '../jobs/nightly-archive.ts'
import {
  backfill,
  nothingToFill,
  planBackfill,
  type BackfillDates,
  type BackfillOptions,
  type BackfillProgress,
} from './archive/backfill.ts'
import {
  readCoverage,
  unknownArchive,
  type ArchiveCoverage,
  type CoverageQuery,
} from './archive/coverage.ts'
import { builtInDefinition, parseDefinitions } from './archive/definitions.ts'
import { followArchives } from './archive/follow-archive.ts'
import { listHolds } from './archive/holds.ts'
import type { ArchiveDefinition } from './archive/model.ts'
import { pruneNightly, type NightlyPruneDeps } from './archive/prune-nightly.ts'
import { composeBase, type Base } from './compose.ts'
import type { Config } from './config.ts'
import type { ArchiveConfig } from './config/archive.ts'
import { ConfigError } from './errors.ts'
import type { ExportQueue } from './export/ports.ts'
import type { Logger } from './logger.ts'
import { createRegistry } from './metrics/registry.ts'
import { createArchiveLedger } from './postgres/archive-ledger.ts'
import { assertMigrated } from './postgres/migrate.ts'
import { createPool } from './postgres/pool.ts'
import { createRetentionLedger } from './postgres/retention-ledger.ts'
import type { QueueConnection } from './queue/connection.ts'
import { openQueue } from './queue/open-queue.ts'
import { createProducer } from './queue/producer.ts'
import { startScheduled } from './queue/start-scheduled.ts'
import { systemClock } from './runtime/clock.ts'
import { createResources } from './runtime/resources.ts'

/** Of one archive at the same time: those that wait hold nobody else's exports up. */
const openWindows = 4

/** The archives that the configuration names. @throws ConfigError */
export function readDefinitions({
  file,
  ...defaults
}: ArchiveConfig): readonly ArchiveDefinition[] {
  if (file === undefined) return [builtInDefinition(defaults)]
  const refuse = (problems: readonly string[]) =>
    new ConfigError(problems.map((problem) => `ARCHIVES_FILE: ${problem}`))
  let text: string
  let input: unknown
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw refuse([`expected a file that can be read, got ${file}: ${reason}`])
  }
  try {
    input = JSON.parse(text)
  } catch (error) {
    throw refuse([`expected JSON in ${file}: ${(error as SyntaxError).message}`])
  }
  const { definitions, problems } = parseDefinitions(input, defaults)
  if (problems.length > 0) throw refuse(problems)
  return definitions
}

/**
 * What there is of the windows that there should be by now.
 * @throws ConfigError when the control database is not migrated, SpecError, SourceError
 */
export async function archiveStatus(
  databaseUrl: string,
  query: CoverageQuery,
): Promise<readonly ArchiveCoverage[]> {
  const pool = createPool(databaseUrl, { role: 'control database', connections: 2 })
  try {
    await assertMigrated(pool)
    const ledger = createArchiveLedger(pool)
    const covered = await readCoverage(ledger, query, systemClock.now())
    const held = await listHolds({ ledger, retention: createRetentionLedger(pool) }, query.archive)
    return covered.map((each) => ({
      ...each,
      holds: held.filter(({ hold }) => hold.archive === each.archive.name),
    }))
  } finally {
    await pool.close()
  }
}

export interface BackfillRequest extends BackfillDates, BackfillOptions {
  /** Name of one archive; absent: all. */
  readonly archive?: string | undefined
  /** Windows of an archive that are open at the same time. */
  readonly parallel: number
}

/**
 * Archives the windows of a range, by the workers that there are.
 * @returns what became of them, for each archive
 * @throws ConfigError, and as `backfill` does
 */
export async function backfillArchives(
  config: Config,
  logger: Logger,
  { archive: name, parallel, from, to, ...options }: BackfillRequest,
): Promise<readonly BackfilledArchive[]> {
  const known = readDefinitions(config.archive)
  const definitions = known.filter((each) => name === undefined || each.name === name)
  if (name !== undefined && definitions.length === 0) throw unknownArchive(name, known)
  // all of them, before the first begins: what is wrong shows at once
  const plans = definitions.map((each) => planBackfill(each, { from, to }, systemClock.now()))
  if (plans.every(({ windows }) => windows.length === 0)) throw nothingToFill(plans, { from, to })
  const resources = createResources()
  try {
    const { records, ...base } = await composeBase(config, logger, resources, createRegistry())
    const connection = await openQueue(config, { logger })
    const queue = resources.add(
      await createProducer(connection, exportJob.name, logger),
      (producer) => producer.close(),
    )
    const settings = { keyPrefix: config.keyPrefix, openWindows: parallel }
    const deps = { ...base, records, queue, clock: systemClock, settings }
    const done: BackfilledArchive[] = []
    for (const plan of plans) {
      done.push({ name: plan.definition.name, ...(await backfill(deps, plan, options)) })
    }
    return done
  } finally {
    await resources.release()
  }
}

export type BackfilledArchive = BackfillProgress & { readonly name: string }

export type ArchiverDeps = Pick<
  Base,
  | 'resources'
  | 'records'
  | 'artifacts'
  | 'manifests'
  | 'comparer'
  | 'ledger'
  | 'retention'
  | 'lookAtReplay'
> & {
  readonly queue: ExportQueue
}

/**
 * Archives what is due, and deletes what is kept no longer, when the schedule says so, whichever worker is first; stopped with the resources.
 * @throws StateError when an archive is kept by another calendar, SourceError, QueueError
 */
export async function startArchiver(
  { resources, ...ports }: ArchiverDeps,
  definitions: readonly ArchiveDefinition[],
  config: ArchiveConfig & { readonly pattern: string },
  keyPrefix: string,
  connection: QueueConnection,
  logger: Logger,
): Promise<void> {
  const deps = { ...ports, clock: systemClock, settings: { keyPrefix, openWindows } }
  const pruneDeps = { ...deps, ...tellOf(logger), keyPrefix }
  for (const definition of definitions) await deps.ledger.open(definition, systemClock.now())
  const archive: Archive = async ({ signal }) => {
    // one archive that cannot be read leaves the others to their policies
    const [followed] = await Promise.allSettled([followArchives(deps, definitions, { signal })])
    signal.throwIfAborted()
    const pruned = await pruneNightly(pruneDeps, definitions, { signal })
    if (followed.status === 'rejected') throw followed.reason
    return { ...followed.value, ...pruned }
  }
  const job = nightlyArchiveJob({ pattern: config.pattern, tz: config.timeZone })
  await startScheduled(connection, job, archive, { resources, logger })
}

/** What becomes of windows that are kept no longer is in the log. */
const tellOf = (
  logger: Logger,
): Pick<NightlyPruneDeps, 'onUnconfirmed' | 'onProblem' | 'onMoreProblems'> => ({
  onUnconfirmed: ({ name }, { text }, windows) =>
    logger.warn(
      { archive: name, keep: text, windows },
      `windows are kept no longer by a policy that nobody has confirmed: look with longhaul archive prune --archive ${name}, then add --apply`,
    ),
  onProblem: ({ window, outcome, problem }) =>
    logger.warn(
      { archive: window.archive, window: window.name, outcome, problem },
      'a window that is kept no longer could not be deleted',
    ),
  onMoreProblems: ({ name }, windows) =>
    logger.warn(
      { archive: name, windows },
      `more windows that are kept no longer could not be deleted: look with longhaul archive prune --archive ${name}`,
    ),
})
