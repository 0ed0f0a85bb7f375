import type { CheckedWindow } from '../../verify/check-window.ts'
import type { RepairedWindow } from '../../archive/repair-windows.ts'
import type { CheckedArchive } from '../../compose-check.ts'
import { exposeToAwsSdk, parseConfig } from '../../config.ts'
import { createLogger } from '../../logger.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { describeIdle } from '../backfill-display.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { foundProblem } from '../exit-codes.ts'
import { createOutput, formatBytes, formatCount } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly archive?: string
  readonly from?: string
  readonly to?: string
  readonly repair: boolean
}

export const archiveCheckCommand: BuildCommand = (readEnvironment) =>
  newCommand('check', 'count what the source has of archived windows now, and compare')
    .option('--archive <name>', 'of this archive only')
    .option('--from <date>', 'from this local date on (default: what ended in the last 7 days)')
    .option('--to <date>', 'up to this local date')
    .option('--repair', 'archive anew the windows to which something came late', false)
    .addHelpText(
      'after',
      '\nWhat is archived anew takes the place of what was there, which is kept below _superseded/, and never has a record less.' +
        '\nEnds with 1 when a window differs that was not archived anew.',
    )
    .action(async ({ json = false, ...options }: Options) => {
      const environment = readEnvironment()
      const config = parseConfig(environment)
      exposeToAwsSdk(environment)
      const { checkArchives } = await import('../../compose-check.ts')
      const output = createOutput({ json })
      const shutdown = listenForShutdown()
      try {
        const archives = await checkArchives(config, createLogger({ level: 'warn' }), {
          ...{ ...options, signal: shutdown.signal },
          onChecked: (checked) => output.note(describeChecked(checked)),
          onRepaired: (repaired) => output.note(describeRepaired(repaired)),
          onIdle: (waitsFor) => output.note(describeIdle(waitsFor)),
        })
        output.result({ archives: archives.map(viewArchive) }, archives.map(describeArchive))
        if (archives.some((archive) => countDiffering(archive) > 0)) process.exitCode = foundProblem
      } finally {
        shutdown.dispose()
      }
    })

const isRepaired = ({ window }: RepairedWindow) => window.state === 'archived'

const countDiffering = ({ windows, repaired }: CheckedArchive) =>
  windows.filter(({ outcome }) => outcome !== 'same').length - repaired.filter(isRepaired).length

function describeArchive(archive: CheckedArchive): string {
  const { name, windows, repaired } = archive
  const counts = [
    `${formatCount(windows.filter(({ outcome }) => outcome === 'same').length)} as the source has them`,
    ...(repaired.length === 0
      ? []
      : [`${formatCount(repaired.filter(isRepaired).length)} archived anew`]),
    `${formatCount(countDiffering(archive))} differ`,
  ]
  return `${name}: ${formatCount(windows.length)} windows: ${counts.join(', ')}`
}

function describeChecked(checked: CheckedWindow): string {
  const { window, outcome } = checked
  const begin = `${outcome.padEnd(8)} ${window.archive} ${window.name}`
  if (checked.outcome === 'corrupt') return `${begin}: ${checked.problem}`
  if (checked.outcome === 'outdated') {
    return `${begin}  generation ${window.generation + 1} is in the bucket, and not in the ledger`
  }
  const { archived, inSource } = checked
  if (checked.outcome === 'same') return `${begin}  ${formatCount(archived)} rows`
  const counts = `${formatCount(archived)} rows archived, ${formatCount(inSource)} in the source now`
  return checked.outcome === 'late'
    ? `${begin}  ${counts}`
    : `${begin}  ${counts}: some were removed since, or were moved; the archive keeps what it has`
}

function describeRepaired({ window, artifact }: RepairedWindow): string {
  const what = `${window.archive} ${window.name}`
  if (window.state === 'failed') return `failed   ${what}: ${window.error?.message ?? ''}`
  const size =
    artifact === undefined
      ? ''
      : `  ${formatCount(artifact.rows)} rows, ${formatBytes(artifact.bytes)}`
  return `repaired ${what}  generation ${window.generation}${size}`
}

const viewArchive = (archive: CheckedArchive) => ({
  name: archive.name,
  differing: countDiffering(archive),
  windows: archive.windows.map(viewChecked),
  repaired: archive.repaired.map(viewRepaired),
})

function viewChecked(checked: CheckedWindow) {
  const { window, outcome } = checked
  const view = { window: window.name, generation: window.generation, outcome }
  if (checked.outcome === 'corrupt') return { ...view, problem: checked.problem }
  if (checked.outcome === 'outdated') return view
  return { ...view, rows: checked.archived, source_rows: checked.inSource }
}

const viewRepaired = ({ window, artifact }: RepairedWindow) => ({
  window: window.name,
  generation: window.generation,
  state: window.state,
  ...(artifact === undefined ? {} : { rows: artifact.rows, bytes: artifact.bytes }),
  ...(window.state === 'failed' && window.error !== undefined ? { error: window.error } : {}),
})
