import { parseDatabaseConfig } from '../../config.ts'
import { connect } from '../../postgres/pool.ts'
import { seedServices } from '../../postgres/seed/seed-services.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { wholeNumber } from '../parse-options.ts'
import { createOutput, formatCount, formatDuration } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly services: number
  readonly seed: number
}

export const seedCommand: BuildCommand = (readEnvironment) =>
  newCommand('seed', 'fill the reference tables with realistic services (events from July 2014)')
    .option('--services <n>', 'how many services', wholeNumber, 100_000)
    .option('--seed <k>', 'the same number gives the same services', wholeNumber, 1)
    .action(async ({ json = false, services, seed }: Options) => {
      const { sourceDatabaseUrl } = parseDatabaseConfig(readEnvironment())
      const output = createOutput({ json })
      const shutdown = listenForShutdown()
      const client = await connect(sourceDatabaseUrl, 'source database')
      try {
        const seeded = await seedServices(client, {
          services,
          seed,
          signal: shutdown.signal,
          onProgress: (done) =>
            output.note(`${formatCount(done)} of ${formatCount(services)} services`),
        })
        const rate = Math.round((seeded.services * 1000) / seeded.elapsedMs)
        output.result(seeded, [
          `Seeded ${formatCount(seeded.services)} services with ${formatCount(seeded.states)} states and ` +
            `${formatCount(seeded.tasks)} tasks in ${formatDuration(seeded.elapsedMs)} (${formatCount(rate)} services a second).`,
        ])
      } finally {
        shutdown.dispose()
        await client.end()
      }
    })
