import { setTimeout as sleep } from 'node:timers/promises'
import { untilAborted } from '../runtime/abort.ts'
import type { Backend } from './begin-snapshot.ts'
import { connect, disconnect } from './pool.ts'

/** How long all of it may take, ms. */
const limitMs = 2000

/** How long a statement has to end once it was canceled, ms; between two looks, ms. */
const [graceMs, lookMs] = [300, 20]

/**
 * Ends what a backend of ours is at work on, from another connection: cancels the statement, and
 * terminates the backend if that does not help. A cancel is not heard while a statement waits for us to
 * take its rows, and a function may catch it. The start time is compared too, as a process id may have
 * been given to somebody else. The connection of that backend is to be thrown away: a cancel that comes late would hit the
 * next statement.
 *
 * Best effort, and never throws. Where no other connection can be made, the server ends the statement when
 * it notices that its client is gone (`client_connection_check_interval`), or by its timeouts.
 */
export async function endBackend(url: string, { pid, startedAt }: Backend): Promise<void> {
  const work = async () => {
    const client = await connect(url, 'source database')
    /** Whether the backend was at work; then what is asked for has been done. */
    const whileAtWork = async (action: string): Promise<boolean> => {
      const { rowCount } = await client.query(
        `select ${action} from pg_stat_activity
         where pid = $1 and backend_start = $2::timestamptz and state not like 'idle%'`,
        [pid, startedAt],
      )
      return rowCount === 1
    }
    try {
      if (!(await whileAtWork('pg_cancel_backend(pid)'))) return
      const deadline = performance.now() + graceMs
      while (await whileAtWork('pid')) {
        if (performance.now() < deadline) await sleep(lookMs)
        else if (await whileAtWork('pg_terminate_backend(pid)')) return
      }
    } finally {
      await disconnect(client)
    }
  }
  await untilAborted(work(), AbortSignal.timeout(limitMs)).catch(() => undefined)
}
