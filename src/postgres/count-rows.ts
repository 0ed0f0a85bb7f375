import type { DatasetQuery } from '../datasets/dataset.ts'
import { openSession, type Session } from './session.ts'
import { createSourceConnections } from './source-connections.ts'
import type { SourceLimits } from './source-limits.ts'

export interface RowCounts {
  /** @throws SourceError, the signal's reason */
  count(
    queries: readonly DatasetQuery[],
    options: { readonly signal: AbortSignal },
  ): Promise<number>
  /** Never throws; safe to call again. */
  close(): Promise<void>
}

/** Counts what queries would read, of what the source has now, in a session like those of exports. */
export function createRowCounter(url: string, limits: SourceLimits): RowCounts {
  const connections = createSourceConnections(url)
  return {
    async count(queries, { signal }) {
      const session = await openSession(connections, { limits, signal })
      try {
        let rows = 0
        for (const query of queries) rows += await countOne(session, query)
        return rows
      } finally {
        await session.close()
      }
    },
    close: () => connections.close(),
  }
}

async function countOne(session: Session, query: DatasetQuery): Promise<number> {
  // places need no document, and mostly an index alone
  const { text, values } = query.segments?.places(query.segments.range) ?? query
  const [counted] = await session.ask<{ rows: string }>({
    text: `select count(*)::text as rows from (${text}) as counted`,
    values,
  })
  return Number(counted?.rows)
}
