import type { Resources } from '../../src/runtime/resources.ts'
import {
  createKillableServer,
  type KillableServer,
  type KillableServerOptions,
} from './killable-server.ts'
import { startRedis } from './redis-server.ts'

export interface KillableRedis extends KillableServer {
  readonly url: string
}

/** A Redis that can be killed, and comes back on its port with nothing in it. */
export async function createKillableRedis(
  resources: Resources,
  { name, port, onDeath }: Omit<KillableServerOptions, 'folder'>,
): Promise<KillableRedis> {
  const server = await createKillableServer(resources, { name, port, onDeath }, () =>
    startRedis(port),
  )
  return { ...server, url: `redis://127.0.0.1:${port}` }
}
