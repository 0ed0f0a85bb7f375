import type { FastifyInstance } from 'fastify'
import type { Readiness } from '../../runtime/readiness.ts'
import type { Lifetime } from '../lifetime.ts'
import { jsonSchema, readinessSchema } from '../schemas.ts'

export interface OperationsDeps {
  /** What this process measures. */
  readonly metrics: {
    readonly contentType: string
    /** As text of that type. */
    metrics(): Promise<string>
  }
  readonly readiness: Pick<Readiness, 'look' | 'notices'>
}

const readinessAnswer = (description: string) => ({
  description,
  content: { 'application/json': { schema: jsonSchema(readinessSchema) } },
})

/** For those who run it: is the process alive, can it do its work, and what does it measure. */
export function operationsRoutes(
  app: FastifyInstance,
  { metrics, readiness }: OperationsDeps,
  { stopping }: Lifetime,
): void {
  app.get(
    '/healthz',
    { schema: { summary: 'The process is alive' }, config: { permission: 'nothing' } },
    () => ({
      status: 'ok',
    }),
  )
  app.get(
    '/readyz',
    {
      config: { permission: 'nothing' },
      schema: {
        summary: 'All that the process needs answers: databases, queue and bucket',
        response: {
          200: readinessAnswer('It can do its work.'),
          503: readinessAnswer('It cannot, or is starting or stopping; the log says why.'),
        },
      },
    },
    async (_request, reply) => {
      const [parts, details] = await Promise.all([readiness.look(), readiness.notices()])
      const ready = parts !== undefined && Object.values(parts).every((state) => state === 'ok')
      const status = stopping.aborted
        ? 'stopping'
        : parts === undefined
          ? 'starting'
          : ready
            ? 'ready'
            : 'not ready'
      return reply
        .code(status === 'ready' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({
          status,
          ...(parts === undefined ? {} : { parts }),
          ...(details === undefined ? {} : { details }),
        })
    },
  )
  app.get(
    '/metrics',
    {
      config: { permission: 'measure' },
      schema: {
        summary: 'What this process measures, in the text format of Prometheus',
        response: { 200: { content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  )
}

/** Their paths. */
export const operationsPaths: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])
