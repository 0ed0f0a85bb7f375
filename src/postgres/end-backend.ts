import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import type { Backend } from './begin-snapshot.ts'
import { connect, disconnect } from './pool.ts'

/** How long all of it may take, ms. */
const limitMs = 2000

/** How long a statement has to end once it was canceled, and then its session; between two looks, ms. */
const [graceMs, lookMs] = [300, 20]

const atWork = `state not like 'idle%'`
const there = 'true'

/**
 * Ends what a backend of ours is at work on, from another connection: cancels the statement, and
 * terminates the backend if that does not help. A cancel is not heard while a statement waits for us to
 * take its rows, and a function may catch it; and where its connection has gone silent, it does not hear that we
 * leave, and would keep its snapshot. Nothing is done to what is not the same transaction any more: a process id may
 * have been given to somebody else, or by a pooler the backend. The connection of that backend is to be
 * thrown away: a cancel that comes late would hit the next statement.
 *
 * Best effort, and never throws. Where no other connection can be made, the server ends the statement when
 * it notices that its client is gone (`client_connection_check_interval`), or by its timeouts.
 * @param leave gives that connection up
 */
export async function endBackend(
  url: string,
  { pid, startedAt, transactionAt }: Backend,
  leave: () => Promise<void>,
): Promise<void> {
  const work = async () => {
    const client = await connect(url, 'source database')
    /** @returns whether its transaction is there, and as `condition` says; then it was done */
    const whenIt = async (condition: string, action: string): Promise<boolean> => {
      const { rowCount } = await client.query(
        `select ${action} from pg_stat_activity
         where pid = $1 and backend_start = $2::timestamptz and xact_start = $3::timestamptz
           and ${condition}`,
        [pid, startedAt, transactionAt],
      )
      return rowCount === 1
    }
    /** @returns whether it still is so at the end of the grace period */
    const stays = async (condition: string): Promise<boolean> => {
      const deadline = performance.now() + graceMs
      while (await whenIt(condition, 'pid')) {
        if (performance.now() >= deadline) return true
        await sleep(lookMs)
      }
      return false
    }
    try {
      if (!(await whenIt(atWork, 'pg_cancel_backend(pid)'))) return
      if (!(await stays(atWork))) {
        // what the server said has been sent before: the reader is told that, rather than that we leave
        await nextTurn()
        await nextTurn()
        void leave()
        if (!(await stays(there))) return
      }
      await whenIt(there, 'pg_terminate_backend(pid)')
    } finally {
      await disconnect(client)
    }
  }
  await untilAborted(work(), abortAfter(limitMs)).catch(() => undefined)
}
