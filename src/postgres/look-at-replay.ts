import type { Standby } from '../export/model.ts'
import { untilAborted } from '../runtime/abort.ts'
import { connect, disconnect } from './pool.ts'
import { translatePgError } from './pg-errors.ts'

/** An answer holds for so long, ms: who asks for many windows asks once. */
const restMs = 1_000

/**
 * Tells what a standby has replayed, on a connection of its own. Undefined: the source is a primary.
 * @throws SourceError, the signal's reason
 */
export function createReplayLook(url: string) {
  let last: { readonly atMs: number; readonly found: Standby | undefined } | undefined
  return async ({ signal }: { readonly signal: AbortSignal }): Promise<Standby | undefined> => {
    if (last !== undefined && performance.now() - last.atMs < restMs) return last.found
    const client = await connect(url, 'source database', { signal })
    try {
      const { rows } = await untilAborted(
        client.query<{ at: Date | null }>(
          'select pg_last_xact_replay_timestamp() as at where pg_is_in_recovery()',
        ),
        signal,
      )
      const [standby] = rows
      const found = standby === undefined ? undefined : { replayedAt: standby.at ?? undefined }
      last = { atMs: performance.now(), found }
      return found
    } catch (error) {
      signal.throwIfAborted()
      throw translatePgError(error, 'source database')
    } finally {
      await disconnect(client)
    }
  }
}
