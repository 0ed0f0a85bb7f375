import type pg from 'pg'
import { untilAborted } from '../runtime/abort.ts'
import { translatePgError, type DatabaseRole } from './pg-errors.ts'
import { connect, disconnect, type Query } from './pool.ts'

/** The server ends what nobody waits for any more, such as a wait for a lock; ms. */
const statementTimeoutMs = 15_000

/** Plain times, and no surprises from settings of server or role. */
const begin = `
  begin read only;
  set local statement_timeout = ${statementTimeoutMs};
  set local timezone = 'UTC'`

/**
 * Asks a database something over a connection of its own, in a transaction that cannot write.
 * @throws SourceError, what `work` throws, or the signal's reason
 */
export async function askReadOnly<T>(
  url: string,
  role: DatabaseRole,
  { signal }: { readonly signal: AbortSignal },
  work: (query: Query, client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(url, role, { signal })
  const query: Query = (text, values = []) => client.query(text, [...values])
  const all = async () => {
    await client.query(begin)
    return work(query, client)
  }
  try {
    return await untilAborted(all(), signal)
  } catch (error) {
    signal.throwIfAborted()
    throw translatePgError(error, role)
  } finally {
    await disconnect(client)
  }
}
