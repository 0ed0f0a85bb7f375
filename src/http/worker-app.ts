import type { FastifyInstance } from 'fastify'
import type { Logger } from '../logger.ts'
import { createBaseApp } from './base-app.ts'
import { followLifetime } from './lifetime.ts'
import { operationsRoutes, type OperationsDeps } from './routes/operations.ts'

export type WorkerAppDeps = OperationsDeps & { readonly logger: Logger }

/** Builds what a worker answers: health and metrics; the caller listens and closes. */
export function buildWorkerApp(deps: WorkerAppDeps): FastifyInstance {
  const missHint = 'A worker answers /healthz and /metrics; the API is that of `longhaul serve`.'
  const app = createBaseApp({ logger: deps.logger, missHint })
  // nobody waits long for these answers
  followLifetime(app, { graceMs: 0 })
  operationsRoutes(app, deps)
  return app
}
