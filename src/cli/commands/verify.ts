import type { Command } from 'commander'
import type { VerifiedWindow } from '../../compose-verify.ts'
import { exposeToAwsSdk, parseConfig } from '../../config.ts'
import { createLogger } from '../../logger.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import type { Verdict } from '../../verify/verify-export.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { foundProblem } from '../exit-codes.ts'
import { createOutput, formatBytes, formatCount } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly archive?: string
  readonly from?: string
  readonly to?: string
  readonly againstSource: boolean
}

export const verifyCommand: BuildCommand = (readEnvironment) =>
  newCommand('verify', 'read artifacts anew, and compare them with what is known of them')
    .argument('[id]', 'of a completed export')
    .option('--archive <name>', 'the archived windows of this archive')
    .option('--from <date>', 'of those, from this local date on')
    .option('--to <date>', 'of those, up to this local date')
    .option('--against-source', 'count the rows of the source, too', false)
    .addHelpText(
      'after',
      '\nDownloads, unpacks and parses all of it, and changes nothing. Ends with 1 when anything differs.',
    )
    .action(async (id: string | undefined, options: Options, self: Command) => {
      const { json = false, archive, from, to, againstSource } = options
      if ((id === undefined) === (archive === undefined)) {
        self.error('error: expected the id of an export, or --archive <name>')
      }
      const environment = readEnvironment()
      const config = parseConfig(environment)
      exposeToAwsSdk(environment)
      const { verifyArchive, verifyExport } = await import('../../compose-verify.ts')
      const logger = createLogger({ level: 'warn' })
      const output = createOutput({ json })
      const shutdown = listenForShutdown()
      const { signal } = shutdown
      const settle = (differ: boolean) => {
        if (differ) process.exitCode = foundProblem
      }
      try {
        if (archive === undefined) {
          const { verdict } = await verifyExport(config, logger, id ?? '', {
            againstSource,
            signal,
          })
          output.result(
            { id, ...viewVerdict(verdict) },
            describeVerdict(`export ${id ?? ''}`, verdict),
          )
          settle(verdict.problems.length > 0)
          return
        }
        const { windows, others, deleted } = await verifyArchive(config, logger, {
          ...{ archive, from, to, againstSource, signal },
          onWindow: (each) => {
            for (const line of describeWindow(each)) output.note(line)
          },
        })
        const differing = windows.filter(({ verdict }) => verdict.problems.length > 0).length
        const summary =
          `${archive}: ${formatCount(windows.length)} windows: ` +
          `${formatCount(windows.length - differing)} as they were archived, ${formatCount(differing)} differ`
        if (others > 0) {
          const what = others === 1 ? 'window is' : 'windows are'
          output.note(
            `${formatCount(others)} more ${what} not archived: see longhaul archive status`,
          )
        }
        if (deleted > 0) {
          output.note(
            `${formatCount(deleted)} more ${deleted === 1 ? 'was' : 'were'} deleted by policy`,
          )
        }
        const views = windows.map(viewWindow)
        const counts = { differing, not_archived: others, deleted }
        output.result({ archive, ...counts, windows: views }, [summary])
        settle(differing > 0)
      } finally {
        shutdown.dispose()
      }
    })

const describeWindow = ({ window, verdict }: VerifiedWindow) =>
  describeVerdict(`${window.archive} ${window.name}`, verdict)

function describeVerdict(what: string, { problems, rows, bytes }: Verdict): readonly string[] {
  const size =
    rows === undefined || bytes === undefined
      ? ''
      : `  ${formatCount(rows)} rows, ${formatBytes(bytes)}`
  if (problems.length === 0) return [`ok       ${what}${size}`]
  return [`differs  ${what}${size}`, ...problems.map((problem) => `         ${problem}`)]
}

const viewVerdict = ({ problems, rows, bytes, sourceRows }: Verdict) => ({
  ok: problems.length === 0,
  ...(rows === undefined ? {} : { rows, bytes }),
  ...(sourceRows === undefined ? {} : { source_rows: sourceRows }),
  problems,
})

const viewWindow = ({ window, verdict }: VerifiedWindow) => ({
  window: window.name,
  generation: window.generation,
  ...viewVerdict(verdict),
})
