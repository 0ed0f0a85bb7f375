/** The composition root of `archive check`. */
import { exportJob } from '../jobs/export.ts'
import { readCoverage, type ArchiveCoverage } from './archive/coverage.ts'
import type { EnteredArchive } from './archive/model.ts'
import type { WaitsFor } from './archive/idle-watch.ts'
import { repairWindows, type Repair, type RepairedWindow } from './archive/repair-windows.ts'
import type { Base } from './compose.ts'
import { openCounter, withBase } from './compose-verify.ts'
import type { Config } from './config.ts'
import type { Logger } from './logger.ts'
import { openQueue } from './queue/open-queue.ts'
import { createProducer } from './queue/producer.ts'
import { systemClock } from './runtime/clock.ts'
import { checkWindow, type CheckedWindow } from './verify/check-window.ts'

/** Without dates, windows are checked for so long after their end, ms. */
const recentMs = 7 * 24 * 3_600_000

/** Before that no window begins that ended so recently: a month of 31 days, and a day for any time zone, ms. */
const reachMs = recentMs + 32 * 24 * 3_600_000

const localDate = (atMs: number) => new Date(atMs).toISOString().slice(0, 10)

/** Of one archive at the same time. */
const openWindows = 4

export interface CheckOptions {
  /** Name of one archive; absent: all. */
  readonly archive?: string | undefined
  /** The first and the last local date; absent both: the windows that ended in the last seven days. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Archive anew what came late. */
  readonly repair: boolean
  readonly signal: AbortSignal
  /** Told of each as soon as it is known. */
  readonly onChecked: (checked: CheckedWindow) => void
  readonly onRepaired: (repaired: RepairedWindow) => void
  /** Told when nothing is done for any window that is archived anew. */
  readonly onIdle?: (waitsFor: WaitsFor) => void
}

export interface CheckedArchive {
  readonly name: string
  readonly windows: readonly CheckedWindow[]
  /** Of those that came late, with `repair`. */
  readonly repaired: readonly RepairedWindow[]
}

/**
 * Counts what the source has of archived windows now, the latest generation of each, and archives anew those to which something
 * came late, if that is wanted.
 * @throws ConfigError, SpecError when there is no such archive, SourceError, StoreError, QueueError, the signal's reason
 */
export const checkArchives = (
  config: Config,
  logger: Logger,
  options: CheckOptions,
): Promise<readonly CheckedArchive[]> =>
  withBase(config, logger, async (base) => {
    const { archive, from, to } = options
    const now = systemClock.now()
    // of an archive of many years the end alone is read
    const begin = from ?? (to === undefined ? localDate(now.getTime() - reachMs) : undefined)
    const archives = await readCoverage(base.ledger, { archive, from: begin, to }, now)
    const counter = openCounter(base.resources, config)
    const deps = { ...base, counter, keyPrefix: config.keyPrefix }
    const isWanted = (window: ArchiveCoverage['windows'][number]) =>
      from !== undefined || to !== undefined || window.to.getTime() > now.getTime() - recentMs
    const done: CheckedArchive[] = []
    for (const each of archives) {
      const windows: CheckedWindow[] = []
      for (const { entry } of each.windows.filter(isWanted)) {
        if (entry?.state !== 'archived') continue
        const checked = await checkWindow(deps, entry, options)
        windows.push(checked)
        options.onChecked(checked)
      }
      const late = options.repair ? windows.filter(isToRepair) : []
      const repaired =
        late.length === 0 ? [] : await repair(base, each.archive, late, config, logger, options)
      done.push({ name: each.archive.name, windows, repaired })
    }
    return done
  })

const isToRepair = (checked: CheckedWindow): checked is CheckedWindow & Repair =>
  checked.outcome === 'late' || checked.outcome === 'outdated'

async function repair(
  base: Base,
  archive: EnteredArchive,
  late: readonly Repair[],
  config: Config,
  logger: Logger,
  { signal, onRepaired, onIdle }: CheckOptions,
): Promise<readonly RepairedWindow[]> {
  const connection = await openQueue(config, { logger })
  const queue = await createProducer(connection, exportJob.name, logger)
  const repaired: RepairedWindow[] = []
  try {
    const settings = { keyPrefix: config.keyPrefix, openWindows }
    await repairWindows({ ...base, queue, clock: systemClock, settings }, archive, late, {
      ...{ signal, onIdle },
      onWindow: (window) => {
        repaired.push(window)
        onRepaired(window)
      },
    })
  } finally {
    await queue.close()
  }
  return repaired
}
