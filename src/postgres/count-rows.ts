import type { DatasetQuery } from '../datasets/dataset.ts'
import { SourceError } from '../errors.ts'
import { abortAfter } from '../runtime/abort.ts'
import { openSession, type Session } from './session.ts'
import { createSourceConnections, type SourceConnections } from './source-connections.ts'
import { longestMs, sourceLimits, type SourceLimits } from './source-limits.ts'

export interface RowCounts {
  /** @throws SourceError, the signal's reason */
  count(
    queries: readonly DatasetQuery[],
    options: { readonly signal: AbortSignal },
  ): Promise<number>
  /** Never throws; safe to call again. */
  close(): Promise<void>
}

export interface CountLimits {
  /** As of exports, ms. */
  readonly stallMs: number
  /** One count may take so long, ms. */
  readonly maxMs: number
}

/** Counts what queries would read, of what the source has now, in a session like those of exports. */
export function createRowCounter(url: string, { stallMs, maxMs }: CountLimits): RowCounts {
  const connections = createSourceConnections(url)
  const { transactionMs, ...others } = sourceLimits({ stallMs, maxMs })
  // a count is one statement, which shows nothing before its end
  const limits = { ...others, transactionMs, statementMs: transactionMs }
  return {
    async count(queries, { signal }) {
      const limit = abortAfter(Math.min(maxMs, longestMs))
      const either = AbortSignal.any([signal, limit])
      try {
        return await countAll(connections, queries, { limits, signal: either })
      } catch (error) {
        throw error === limit.reason ? tooLong(maxMs) : error
      }
    },
    close: () => connections.close(),
  }
}

async function countAll(
  connections: SourceConnections,
  queries: readonly DatasetQuery[],
  options: { readonly limits: SourceLimits; readonly signal: AbortSignal },
): Promise<number> {
  const session = await openSession(connections, options)
  try {
    let rows = 0
    for (const query of queries) rows += await countOne(session, query)
    return rows
  } finally {
    await session.close()
  }
}

const tooLong = (maxMs: number) =>
  new SourceError(
    'SOURCE_TIMEOUT',
    `The source database did not count the rows of a range within ${maxMs / 1000} s.`,
    {
      hint: 'See in pg_stat_activity what it waits for: a lock, a missing index? EXPORT_MAX_SECONDS is the limit.',
    },
  )

async function countOne(session: Session, query: DatasetQuery): Promise<number> {
  // places need no document, and mostly an index alone
  const { text, values } = query.segments?.places(query.segments.range) ?? query
  const [counted] = await session.ask<{ rows: string }>({
    text: `select count(*)::text as rows from (${text}) as counted`,
    values,
  })
  return Number(counted?.rows)
}
