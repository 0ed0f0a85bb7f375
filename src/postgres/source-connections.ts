import pg from 'pg'
import { connectionOptions, disconnect, inGoodOrder } from './pool.ts'

/**
 * How long a connection stays open that nobody uses, ms: exports that follow each other need not make one each, which costs
 * more than a small export does; and a source that nothing is read from is left alone.
 */
const idleMs = 2_000

/** How long one is used for new snapshots, seconds: the address may lead elsewhere by then, and the server's caches grow. */
const lifeSeconds = 600

/** Each has one user at a time: whoever takes one gives it back, or leaves it. */
export interface SourceConnections {
  readonly url: string
  /** @returns one that was used before, or a new one. @throws the driver's error */
  take(): Promise<TakenConnection>
  /** Ends those that nobody uses, and lets no more be taken. Never throws; safe to call again. */
  close(): Promise<void>
}

export interface TakenConnection {
  readonly client: pg.Client
  /** It may have broken since, and nobody has noticed. */
  readonly used: boolean
  /** For others. It has to be out of any transaction, and at work on nothing. */
  readonly giveBack: () => void
  /** Ends it, by force if its other side has gone silent. Never throws. */
  readonly leave: () => Promise<void>
}

export function createSourceConnections(url: string): SourceConnections {
  const pool = new pg.Pool({
    ...connectionOptions,
    connectionString: url,
    // who may have how many is decided elsewhere: nobody waits for a connection here
    max: Number.MAX_SAFE_INTEGER,
    idleTimeoutMillis: idleMs,
    maxLifetimeSeconds: lifeSeconds,
    allowExitOnIdle: true,
  })
  // an idle connection that breaks is dropped by the pool; without a listener it would end the process
  pool.on('error', () => undefined)
  // for its whole life: between the pool's listener and that of whoever takes it, what breaks would end the process, too
  pool.on('connect', (client) => client.on('error', () => undefined))
  const used = new WeakSet<pg.PoolClient>()
  let closed: Promise<void> | undefined
  return {
    url,
    async take() {
      const client = await pool.connect()
      const wasUsed = used.has(client)
      used.add(client)
      return {
        client,
        used: wasUsed,
        giveBack: () => client.release(),
        async leave() {
          await disconnect(client)
          client.release(true)
        },
      }
    },
    close: () => (closed ??= inGoodOrder(pool.end())),
  }
}
