import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { ApiKey } from '../config/api-keys.ts'
import type { Logger } from '../logger.ts'
import { version } from '../version.ts'
import { createBaseApp, type BaseAppOptions } from './base-app.ts'
import { followLifetime } from './lifetime.ts'
import { limitRate } from './limit-rate.ts'
import { archiveRoutes, type ArchiveRoutesDeps } from './routes/archives.ts'
import { contextServicesRoutes, type ContextServicesDeps } from './routes/context-services.ts'
import { exportRoutes, type ExportRoutesDeps } from './routes/exports.ts'
import { operationsRoutes, type OperationsDeps } from './routes/operations.ts'
import { sharedSchemas } from './schemas.ts'

export type AppDeps = ExportRoutesDeps &
  ArchiveRoutesDeps &
  ContextServicesDeps &
  OperationsDeps & {
    readonly logger: Logger
    readonly apiKeys: readonly ApiKey[]
    /** Told of each answer. */
    readonly onAnswer?: BaseAppOptions['onAnswer']
    /** Of one key; 0: any number. */
    readonly requestsPerSecond: number
    /** How long answers that are under way may go on when the server is stopped, ms. */
    readonly shutdownGraceMs: number
  }

/** Builds the HTTP interface; the caller listens and closes. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { requestsPerSecond, shutdownGraceMs } = deps
  const app = createBaseApp({ ...deps, missHint: 'GET /openapi.json lists what there is.' })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Longhaul',
        version,
        description: 'Exports time ranges of records from PostgreSQL to S3 as background jobs.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'The API key.' },
          basic: {
            type: 'http',
            scheme: 'basic',
            description: 'The API key as password; any user.',
          },
        },
      },
      // the last one: a server without keys answers to its own machine only
      security: [{ bearer: [] }, { basic: [] }, {}],
    },
    refResolver: { buildLocalReference: (schema) => schema['$id'] as string },
  })
  await limitRate(app, requestsPerSecond)
  for (const schema of sharedSchemas) app.addSchema(schema)
  let document: unknown
  const lifetime = followLifetime(app, { graceMs: shutdownGraceMs })
  await app.register((scope, _options, done) => {
    exportRoutes(scope, deps, lifetime)
    archiveRoutes(scope, deps)
    contextServicesRoutes(scope, deps, lifetime)
    operationsRoutes(scope, deps, lifetime)
    scope.get(
      '/openapi.json',
      { schema: { hide: true }, config: { permission: 'nothing' } },
      () => (document ??= app.swagger()),
    )
    done()
  })
  await app.ready()
  return app
}
