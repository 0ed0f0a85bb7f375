import type pg from 'pg'
import type { Standby } from '../export/model.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { connect, disconnect } from './pool.ts'
import { translatePgError } from './pg-errors.ts'

/** An answer holds for so long, ms: who asks for many windows asks once. A primary seldom becomes a standby. */
const restMs = { standby: 1_000, primary: 60_000 } as const

/** An answer takes no longer, ms. */
const timeoutMs = 20_000

/**
 * Tells what a standby has replayed, on a connection of its own. Undefined: the source is a primary, or was one a minute ago.
 * @throws SourceError, the signal's reason
 */
export function createReplayLook(url: string) {
  let last: { readonly until: number; readonly found: Promise<Standby | undefined> } | undefined

  async function look(): Promise<Standby | undefined> {
    try {
      const found = await ask(url)
      const rest = found === undefined ? restMs.primary : restMs.standby
      last = { until: performance.now() + rest, found: Promise.resolve(found) }
      return found
    } catch (error) {
      last = undefined
      throw error
    }
  }
  return ({ signal }: { readonly signal: AbortSignal }): Promise<Standby | undefined> => {
    // who asks at the same time shares one look, which goes on if one of them leaves
    if (last === undefined || performance.now() >= last.until) {
      last = { until: Infinity, found: look() }
    }
    return untilAborted(last.found, signal)
  }
}

async function ask(url: string): Promise<Standby | undefined> {
  const signal = abortAfter(timeoutMs)
  let client: pg.Client | undefined
  try {
    client = await connect(url, 'source database', { signal })
    const { rows } = await untilAborted(
      client.query<{ at: Date | null }>(
        'select pg_last_xact_replay_timestamp() as at where pg_is_in_recovery()',
      ),
      signal,
    )
    const [standby] = rows
    return standby === undefined ? undefined : { replayedAt: standby.at ?? undefined }
  } catch (error) {
    throw translatePgError(error, 'source database')
  } finally {
    if (client !== undefined) await disconnect(client)
  }
}
