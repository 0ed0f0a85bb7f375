import { exposeToAwsSdk, parseConfig } from '../../config.ts'
import { countStates } from '../../doctor/finding.ts'
import { reportLines } from '../../doctor/report.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { version } from '../../version.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { foundProblem } from '../exit-codes.ts'
import { createOutput } from '../output.ts'

export const doctorCommand: BuildCommand = (readEnvironment) =>
  newCommand('doctor', 'check databases, queue, bucket and archive as they are configured')
    .addHelpText(
      'after',
      '\nChanges nothing that stays. Ends with 1 when there is a problem; warnings and what is skipped are none.',
    )
    .action(async ({ json = false }: { json?: boolean }) => {
      const environment = readEnvironment()
      const config = parseConfig(environment)
      exposeToAwsSdk(environment)
      const { diagnose } = await import('../../compose-doctor.ts')
      const shutdown = listenForShutdown()
      try {
        const findings = await diagnose(config, shutdown)
        const output = createOutput({ json })
        const lines = reportLines(findings)
        if (shutdown.signal.aborted) {
          // one document on stdout, and that is the error then
          for (const line of lines) output.note(line)
          throw shutdown.signal.reason
        }
        const counts = countStates(findings)
        output.result({ version, counts, findings }, lines)
        if (counts.problem > 0) process.exitCode = foundProblem
      } finally {
        shutdown.dispose()
      }
    })
