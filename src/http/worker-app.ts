import type { FastifyInstance } from 'fastify'
import type { ApiKey } from '../config/api-keys.ts'
import type { Logger } from '../logger.ts'
import { createBaseApp } from './base-app.ts'
import { followLifetime } from './lifetime.ts'
import { operationsRoutes, type OperationsDeps } from './routes/operations.ts'

export type WorkerAppDeps = OperationsDeps & {
  readonly logger: Logger
  readonly apiKeys: readonly ApiKey[]
}

/** Builds what a worker answers: health, readiness and metrics; the caller listens and closes. */
export function buildWorkerApp(deps: WorkerAppDeps): FastifyInstance {
  const missHint =
    'A worker answers /healthz, /readyz and /metrics; the API is that of `longhaul serve`.'
  const app = createBaseApp({ ...deps, missHint })
  // nobody waits long for these answers
  const lifetime = followLifetime(app, { graceMs: 0 })
  operationsRoutes(app, deps, lifetime)
  return app
}
