import type { TestProject } from 'vitest/node'
import { lastingPort } from './lasting-port.ts'
import { startRedis } from './redis-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the queue of this run is: each project of vitest has its own. */
    queue: { readonly backend: 'postgres' } | { readonly backend: 'redis'; readonly url: string }
  }
}

/** Vitest's global setup where the queue is to be on Redis: one server for the whole run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startRedis(await lastingPort())
  project.provide('queue', { backend: 'redis', url: `redis://127.0.0.1:${server.port}` })
  return () => server.stop()
}
