import { exposeToAwsSdk, parseConfig } from '../../config.ts'
import { createLogger } from '../../logger.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput, formatCount } from '../output.ts'

export const sweepCommand: BuildCommand = (readEnvironment) =>
  newCommand('sweep', 'expire what is due and remove what lost attempts left, once and now')
    .addHelpText('after', '\nThe workers do so by themselves, every ten minutes.')
    .action(async ({ json = false }: { json?: boolean }) => {
      const environment = readEnvironment()
      const config = parseConfig(environment)
      exposeToAwsSdk(environment)
      const { sweepOnce } = await import('../../compose-worker.ts')
      const shutdown = listenForShutdown()
      try {
        const logger = createLogger({ level: config.logLevel })
        const { failure, ...counts } = await sweepOnce(config, logger, shutdown)
        const output = createOutput({ json })
        const lines = [
          `expired   ${formatCount(counts.expired)} artifacts`,
          `removed   ${formatCount(counts.objects)} objects and ${formatCount(counts.uploads)} open uploads of attempts that are over`,
          ...(counts.unknown === 0
            ? []
            : [
                `left      ${formatCount(counts.unknown)} entries that this control database does not know`,
              ]),
          ...(counts.failed === 0 ? [] : [`failed    ${formatCount(counts.failed)} removals`]),
        ]
        if (failure !== undefined) {
          // one document on stdout, and that is the error then
          for (const line of lines) output.note(line)
          throw failure
        }
        output.result(counts, lines)
      } finally {
        shutdown.dispose()
      }
    })
