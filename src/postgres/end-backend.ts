import { untilAborted } from '../runtime/abort.ts'
import type { Backend } from './begin-snapshot.ts'
import { connect, disconnect } from './pool.ts'

/** How long the server is asked to end a query that nobody waits for any more, ms. */
const limitMs = 2000

/**
 * Ends our own backend from another connection. Its start time is compared too, as a process id may
 * have been given to somebody else. Best effort: the server also ends it when it next writes to us.
 */
export async function endBackend(url: string, { pid, startedAt }: Backend): Promise<void> {
  const work = async () => {
    const client = await connect(url, 'source database')
    try {
      await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where pid = $1 and backend_start = $2::timestamptz`,
        [pid, startedAt],
      )
    } finally {
      await disconnect(client)
    }
  }
  await untilAborted(work(), AbortSignal.timeout(limitMs)).catch(() => undefined)
}
