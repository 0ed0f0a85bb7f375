import { exposeToAwsSdk, parseDatabaseConfig, parseSetupConfig, type Config } from '../../config.ts'
import { ConfigError } from '../../errors.ts'
import { migrate } from '../../postgres/migrate.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly referenceSchema?: boolean
  readonly createBucket?: boolean
}

export const migrateCommand: BuildCommand = (readEnvironment) =>
  newCommand('migrate', "bring the control database's schema up to date")
    .option(
      '--reference-schema',
      'also create the tables of Context Services (schema context_services)',
    )
    .option('--create-bucket', 'also create the bucket S3_BUCKET, unless it is there')
    .action(async ({ json = false, referenceSchema = false, createBucket = false }: Options) => {
      const environment = readEnvironment()
      // first, as it lists what is wrong with the databases, too
      const s3 = createBucket ? parseSetupConfig(environment).s3 : undefined
      const { databaseUrl, sourceDatabaseUrl } = parseDatabaseConfig(environment)
      if (referenceSchema && sourceDatabaseUrl !== databaseUrl) {
        throw new ConfigError([
          'SOURCE_DATABASE_URL: expected not to be set with --reference-schema, which makes the tables in ' +
            'DATABASE_URL; in a source of its own make them with psql, from src/postgres/reference-schema/',
        ])
      }
      const applied = await migrate(databaseUrl, { referenceSchema })
      exposeToAwsSdk(environment)
      const bucket = s3 === undefined ? undefined : await prepareBucket(s3)
      const lines = applied.map((name) => `Applied ${name}.`)
      if (bucket?.state === 'created') lines.push(`Created the bucket ${bucket.name}.`)
      createOutput({ json }).result(
        { applied, ...(bucket === undefined ? {} : { bucket }) },
        lines.length === 0 ? ['Nothing to do.'] : lines,
      )
    })

async function prepareBucket(settings: Config['s3']) {
  // loaded only here: a plain migration needs no store
  const { createBucket } = await import('../../s3/create-bucket.ts')
  return { name: settings.bucket, state: await createBucket(settings) }
}
