import { relative } from 'node:path'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import type { LocalSystem } from '../local-system.ts'
import { createOutput } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly data: string
}

export const devCommand: BuildCommand = (readEnvironment) =>
  newCommand('dev', 'run everything on this machine, with a PostgreSQL and an S3 server of its own')
    .option('--data <dir>', 'where data, credentials and logs are kept', '.longhaul')
    .action(async ({ json = false, data }: Options) => {
      const output = createOutput({ json })
      const { runUntil, startLocalSystem } = await import('../local-system.ts')
      const shutdown = listenForShutdown()
      const system = await startLocalSystem({
        dataDir: data,
        environment: readEnvironment(),
        log: (line) => output.note(line),
      })
      try {
        output.result({ url: system.url, data }, ready(system, data))
        await runUntil(shutdown.requested, system)
        output.note('Stopping …')
      } finally {
        await system.stop()
        shutdown.dispose()
      }
    })

function ready(system: LocalSystem, data: string): readonly string[] {
  return [
    `Longhaul answers at ${system.url}`,
    `PostgreSQL ${system.postgresVersion}, data in ${data}, log in ${relative('.', system.logFile)}`,
    '',
    'In a second terminal:',
    `  set -a; . ${data.startsWith('/') ? data : `./${data}`}/stack.env; set +a`,
    '  npx longhaul seed --services 100000',
    '  npx longhaul export --from 2014-07-01T00:00:00Z --to 2014-08-01T00:00:00Z --content --output july.json',
    '',
    'Ctrl-C stops everything; the data stay.',
  ]
}
