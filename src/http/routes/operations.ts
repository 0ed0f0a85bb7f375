import type { FastifyInstance } from 'fastify'

export interface OperationsDeps {
  /** What this process measures. */
  readonly metrics: {
    readonly contentType: string
    /** As text of that type. */
    metrics(): Promise<string>
  }
}

/** For those who run it: is the process alive, and what does it measure. */
export function operationsRoutes(app: FastifyInstance, { metrics }: OperationsDeps): void {
  app.get(
    '/healthz',
    { schema: { summary: 'The process is alive' }, config: { permission: 'nothing' } },
    () => ({
      status: 'ok',
    }),
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
export const operationsPaths: ReadonlySet<string> = new Set(['/healthz', '/metrics'])
