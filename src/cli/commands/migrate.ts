import { parseDatabaseConfig } from '../../config.ts'
import { ConfigError } from '../../errors.ts'
import { migrate } from '../../postgres/migrate.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly referenceSchema?: boolean
}

export const migrateCommand: BuildCommand = (readEnvironment) =>
  newCommand('migrate', "bring the control database's schema up to date")
    .option(
      '--reference-schema',
      'also create the tables of Context Services (schema context_services)',
    )
    .action(async ({ json = false, referenceSchema = false }: Options) => {
      const { databaseUrl, sourceDatabaseUrl } = parseDatabaseConfig(readEnvironment())
      if (referenceSchema && sourceDatabaseUrl !== databaseUrl) {
        throw new ConfigError([
          'SOURCE_DATABASE_URL: expected not to be set with --reference-schema, which makes the tables in ' +
            'DATABASE_URL; in a source of its own make them with psql, from src/postgres/reference-schema/',
        ])
      }
      const applied = await migrate(databaseUrl, { referenceSchema })
      createOutput({ json }).result(
        { applied },
        applied.length === 0 ? ['Nothing to do.'] : applied.map((name) => `Applied ${name}.`),
      )
    })
