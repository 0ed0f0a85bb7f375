import type { Command } from 'commander'
import type { LedgerWindow } from '../../archive/model.ts'
import type { ArchiveCoverage, CoverageQuery, CoveredWindow } from '../../archive/coverage.ts'
import type { BackfilledArchive } from '../../compose-archive.ts'
import { exposeToAwsSdk, parseConfig, parseDatabaseConfig } from '../../config.ts'
import { createLogger } from '../../logger.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { createBackfillDisplay, describeIdle } from '../backfill-display.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { countStates, drawCoverage } from '../coverage-calendar.ts'
import { foundProblem } from '../exit-codes.ts'
import { viewHold } from '../hold-display.ts'
import { createOutput, formatCount } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'
import { archiveCheckCommand } from './archive-check.ts'
import { archiveHoldCommand, archiveHoldsCommand, archiveReleaseCommand } from './archive-holds.ts'
import { archivePruneCommand } from './archive-prune.ts'

interface FillOptions {
  readonly json?: boolean
  readonly from?: string
  readonly to?: string
  readonly archive?: string
  readonly parallel: number
}

export const archiveCommand: BuildCommand = (readEnvironment) => {
  async function fill(
    { json = false, from, ...options }: FillOptions,
    self: Command,
  ): Promise<void> {
    // not a required option: commander would require it of the commands below, too
    if (from === undefined) self.error("error: required option '--from <date>' not specified")
    const environment = readEnvironment()
    const config = parseConfig(environment)
    exposeToAwsSdk(environment)
    const { backfillArchives } = await import('../../compose-archive.ts')
    const output = createOutput({ json })
    const display = json ? undefined : createBackfillDisplay()
    const shutdown = listenForShutdown()
    try {
      const archives = await backfillArchives(config, createLogger({ level: 'warn' }), {
        ...{ ...options, from, signal: shutdown.signal },
        onBegin: (archive, total) => display?.begin(archive, total),
        onIdle: (waitsFor) => display?.note(describeIdle(waitsFor)),
        onWindow: (window, progress) => display?.update(window, progress),
      })
      display?.stop()
      output.result({ archives }, archives.map(describeArchive))
      if (archives.some(({ failed }) => failed > 0)) process.exitCode = foundProblem
    } finally {
      display?.stop()
      shutdown.dispose()
    }
  }

  const status = newCommand(
    'status',
    'show which windows of the archives are there, and which are not',
  )
    .option('--archive <name>', 'of this archive only')
    .option('--from <date>', 'from this local date on (default: the first window)')
    .option('--to <date>', 'up to this local date (default: what is over)')
    .action(async ({ json = false, ...query }: CoverageQuery & { readonly json?: boolean }) => {
      const { databaseUrl } = parseDatabaseConfig(readEnvironment())
      const { archiveStatus } = await import('../../compose-archive.ts')
      const archives = await archiveStatus(databaseUrl, query)
      const lines =
        archives.length === 0
          ? ['There are no archives: start a worker with ARCHIVE_SCHEDULE.']
          : archives.flatMap((each, index) => [...(index > 0 ? [''] : []), ...drawCoverage(each)])
      createOutput({ json }).result({ archives: archives.map(viewCoverage) }, lines)
    })
  return newCommand(
    'archive',
    'archive the closed windows of a range of dates, by the workers that run',
  )
    .addHelpText(
      'after',
      '\nEnded at any point, it goes on from there the next time. What is archived is left as it is.',
    )
    .enablePositionalOptions()
    .option('--from <date>', 'first local date (required)')
    .option('--to <date>', 'last local date (default: the last that has settled)')
    .option('--archive <name>', 'of this archive only')
    .option('--parallel <n>', 'windows that are asked for at the same time', wholeNumber, 8)
    .action(fill)
    .addCommand(status)
    .addCommand(archiveCheckCommand(readEnvironment))
    .addCommand(archivePruneCommand(readEnvironment))
    .addCommand(archiveHoldCommand(readEnvironment))
    .addCommand(archiveReleaseCommand(readEnvironment))
    .addCommand(archiveHoldsCommand(readEnvironment))
}

const describeArchive = ({ name, total, archived, failed, present, deleted }: BackfilledArchive) =>
  `${name}: ${formatCount(total)} windows: ${formatCount(archived)} archived, ` +
  `${formatCount(present)} were there, ${formatCount(failed)} failed` +
  (deleted === 0 ? '' : `, ${formatCount(deleted)} were deleted by policy`)

const viewCoverage = ({ archive, first, windows, holds = [] }: ArchiveCoverage) => ({
  name: archive.name,
  window: archive.calendar.unit,
  time_zone: archive.calendar.timeZone,
  first: first.toISOString(),
  settle_minutes: archive.settleMs / 60_000,
  counts: countStates(windows),
  holds: holds.map(viewHold),
  windows: windows.map(viewWindow),
})

const viewWindow = ({ name, date, from, to, state, entry, repair }: CoveredWindow) => ({
  window: name,
  date,
  time_from: from.toISOString(),
  time_to: to.toISOString(),
  state,
  ...(entry === undefined ? {} : { generation: entry.generation, tries: entry.tries }),
  ...(entry?.exportId === undefined ? {} : { export_id: entry.exportId }),
  ...(entry?.archivedAt === undefined ? {} : { archived_at: entry.archivedAt.toISOString() }),
  ...(entry?.deletedAt === undefined ? {} : { deleted_at: entry.deletedAt.toISOString() }),
  ...(entry?.deletedReason === undefined ? {} : { deleted_reason: entry.deletedReason }),
  ...(entry?.retryAt === undefined ? {} : { retry_at: entry.retryAt.toISOString() }),
  ...(entry?.error === undefined ? {} : { error: entry.error }),
  ...(repair === undefined ? {} : { repair: viewRepair(repair) }),
})

const viewRepair = ({ generation, state, error }: LedgerWindow) => ({
  ...{ generation, state },
  ...(error === undefined ? {} : { error }),
})
