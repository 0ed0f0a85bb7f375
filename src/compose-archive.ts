/** The composition root of the nightly archive. */
import { nightlyArchiveJob } from '../jobs/nightly-archive.ts'
import { startOfDate } from './archive/calendar.ts'
import { followArchive } from './archive/follow-archive.ts'
import type { ArchiveDefinition } from './archive/model.ts'
import type { Base } from './compose.ts'
import type { ArchiveConfig } from './config/archive.ts'
import type { ExportQueue } from './export/ports.ts'
import type { Logger } from './logger.ts'
import type { QueueConnection } from './queue/connection.ts'
import { startScheduled } from './queue/start-scheduled.ts'
import { systemClock } from './runtime/clock.ts'

const minuteMs = 60_000

/** Of one archive at the same time: those that wait hold nobody else's exports up. */
const openWindows = 4

/** All services that were completed on a day, each as a line. */
const dailyServices = ({ timeZone, start, settleMinutes }: ArchiveConfig): ArchiveDefinition => ({
  name: 'services',
  calendar: { unit: 'day', timeZone },
  start: start === undefined ? undefined : startOfDate(start, timeZone),
  settleMs: settleMinutes * minuteMs,
  request: {
    ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
    ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
  },
})

export type ArchiverDeps = Pick<
  Base,
  'resources' | 'records' | 'artifacts' | 'manifests' | 'ledger'
> & {
  readonly queue: ExportQueue
}

/**
 * Archives what is due when the schedule says so, whichever worker is first; stopped with the resources.
 * @throws StateError when the archive is kept by another calendar, SourceError, QueueError
 */
export async function startArchiver(
  { resources, ...ports }: ArchiverDeps,
  config: ArchiveConfig,
  keyPrefix: string,
  connection: QueueConnection,
  logger: Logger,
): Promise<void> {
  const deps = { ...ports, clock: systemClock, settings: { keyPrefix, openWindows } }
  const definition = dailyServices(config)
  await deps.ledger.open(definition.name, definition.calendar, systemClock.now())
  const job = nightlyArchiveJob({ pattern: config.pattern, tz: config.timeZone })
  const archive = (options: { readonly signal: AbortSignal }) =>
    followArchive(deps, definition, options)
  await startScheduled(connection, job, archive, { resources, logger })
}
