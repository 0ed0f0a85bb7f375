import type { FastifyInstance } from 'fastify'

/** For those who run it: is the process alive, and what does the API look like. */
export function healthRoutes(app: FastifyInstance): void {
  app.get('/healthz', { schema: { summary: 'The process is alive' } }, () => ({
    status: 'ok',
  }))

  let document: unknown
  app.get('/openapi.json', { schema: { hide: true } }, () => (document ??= app.swagger()))
}
