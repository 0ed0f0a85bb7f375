import type { DatasetQuery } from '../datasets/dataset.ts'
import type { RowSource, Snapshot } from '../export/ports.ts'
import { SpanKind } from '@opentelemetry/api'
import { inSpan } from '../runtime/trace.ts'
import { readAhead, type ReadAheadSizes } from './read-ahead.ts'
import { createReaderShares, type ReaderShare, type ReaderShares } from './reader-shares.ts'
import { createReader, type Reader } from './reader.ts'
import { createRowSizes, type RowSizes } from './row-sizes.ts'
import { openSession, type Session } from './session.ts'
import { createSourceConnections, type SourceConnections } from './source-connections.ts'
import type { SourceLimits } from './source-limits.ts'

export interface RowSourceOptions extends ReadAheadSizes {
  /** What the server ends by itself; our own limits should come first. */
  readonly limits: SourceLimits
  /**
   * Connections that read one snapshot, where the server lets several do so. Snapshots that are open at the
   * same time share them; each has one at least.
   */
  readonly readers: number
}

export interface PostgresRowSource extends RowSource {
  /** Ends the connections that no snapshot uses. Never throws; safe to call again. */
  close(): Promise<void>
}

/**
 * Reads from the source database, each snapshot on connections of its own. Those that were read to the end in good order
 * serve another snapshot that follows within two seconds; all others are thrown away.
 */
export function createRowSource(url: string, options: RowSourceOptions): PostgresRowSource {
  const connections = createSourceConnections(url)
  const shares = createReaderShares(options.readers)
  const rowSizes = createRowSizes()
  return {
    async open({ signal }) {
      const { limits, readers } = options
      // what is read ahead is of no use once nobody wants it any more
      const left = new AbortController()
      const both = AbortSignal.any([signal, left.signal])
      const share = shares.first()
      try {
        const session = await inSpan('open snapshot', { kind: SpanKind.CLIENT }, () =>
          openSession(connections, { limits, share: readers > 1, signal: both }),
        )
        return createSnapshot(
          { connections, shares, rowSizes, first: { session, share }, signal: both, left },
          options,
        )
      } catch (error) {
        share.end()
        throw error
      }
    },
    close: () => connections.close(),
  }
}

/** What a reader of a snapshot holds. */
interface Seat {
  readonly session: Session
  readonly share: ReaderShare
}

function leave({ session, share }: Seat): Promise<void> {
  share.end()
  return session.close()
}

interface SnapshotDeps {
  readonly connections: SourceConnections
  readonly shares: ReaderShares
  readonly rowSizes: RowSizes
  readonly first: Seat
  readonly signal: AbortSignal
  readonly left: AbortController
}

function createSnapshot(
  { connections, shares, rowSizes, first, signal, left }: SnapshotDeps,
  { limits, segmentBytes, readAheadBytes }: RowSourceOptions,
): Snapshot {
  const reader = createReader(first.session)
  let checked: Promise<void> | undefined
  /** Queries of one export read the same tables: looking at the first, once, will do. */
  const checkTables = async ([query]: readonly DatasetQuery[]) => {
    if (query !== undefined) await (checked ??= first.session.checkTables(query))
  }

  return {
    at: first.session.begun.at,
    standby: first.session.begun.standby,
    async estimate(queries) {
      await checkTables(queries)
      let rows = 0
      for (const query of queries) rows += (await reader.estimate(query)).rows
      return rows
    },
    async *read(queries, options) {
      await checkTables(queries)
      const over = new AbortController()
      const joined = new Map<Reader, Seat>()
      const leaving: Promise<void>[] = []
      const { sharedAs } = first.session.begun
      let mayJoin = sharedAs !== undefined
      async function join(share: ReaderShare): Promise<Reader> {
        try {
          const until = AbortSignal.any([signal, over.signal])
          const session = await openSession(connections, { limits, sharedAs, signal: until })
          const other = createReader(session)
          joined.set(other, { session, share })
          return other
        } catch (error) {
          mayJoin = false
          share.end()
          throw error
        }
      }
      function another(): Promise<Reader> | undefined {
        const share = mayJoin ? shares.another() : undefined
        return share === undefined ? undefined : join(share)
      }
      function dismiss(other: Reader): boolean {
        const seat = joined.get(other)
        if (seat?.share.isSpare() !== true) return false
        joined.delete(other)
        leaving.push(leave(seat))
        return true
      }
      /** No one is waited for; only what has been read to its end leaves the connection fit for more. */
      function stop(finished: boolean): void {
        over.abort()
        if (!finished) left.abort()
      }
      try {
        const sizes = { segmentBytes, readAheadBytes }
        const deps = { first: reader, another, dismiss, sizes, rowSizes, stop }
        yield* readAhead(queries, deps, options)
      } finally {
        await Promise.all([...leaving, ...[...joined.values()].map(leave)])
      }
    },
    close: () => leave(first),
  }
}
