import type { DatasetQuery } from '../datasets/dataset.ts'
import type { RowSource, Snapshot } from '../export/ports.ts'
import { SpanKind } from '@opentelemetry/api'
import { inSpan } from '../runtime/trace.ts'
import { readAhead, type ReadAheadSizes } from './read-ahead.ts'
import { createReader, type Reader } from './reader.ts'
import { openSession, type Session } from './session.ts'
import type { SourceLimits } from './source-limits.ts'

export interface RowSourceOptions extends ReadAheadSizes {
  /** What the server ends by itself; our own limits should come first. */
  readonly limits: SourceLimits
  /** Connections that read one snapshot, where the server lets several do so. */
  readonly readers: number
}

/** Reads from the source database, each snapshot on connections of its own that are then thrown away. */
export function createRowSource(url: string, options: RowSourceOptions): RowSource {
  return {
    async open({ signal }) {
      const { limits, readers } = options
      // what is read ahead is of no use once nobody wants it any more
      const left = new AbortController()
      const both = AbortSignal.any([signal, left.signal])
      const first = await inSpan('open snapshot', { kind: SpanKind.CLIENT }, () =>
        openSession(url, { limits, share: readers > 1, signal: both }),
      )
      return createSnapshot(url, first, options, both, left)
    },
  }
}

function createSnapshot(
  url: string,
  first: Session,
  { limits, readers, ...sizes }: RowSourceOptions,
  signal: AbortSignal,
  left: AbortController,
): Snapshot {
  const reader = createReader(first)
  let checked: Promise<void> | undefined
  /** Queries of one export read the same tables: looking at the first, once, will do. */
  const checkTables = async ([query]: readonly DatasetQuery[]) => {
    if (query !== undefined) await (checked ??= first.checkTables(query))
  }

  return {
    at: first.begun.at,
    async estimate(queries) {
      await checkTables(queries)
      let rows = 0
      for (const query of queries) rows += (await reader.estimate(query)).rows
      return rows
    },
    async *read(queries, options) {
      await checkTables(queries)
      const over = new AbortController()
      const joined: Session[] = []
      const { sharedAs } = first.begun
      let wanted = sharedAs === undefined ? 0 : readers - 1
      async function join(): Promise<Reader> {
        const until = AbortSignal.any([signal, over.signal])
        const session = await openSession(url, { limits, sharedAs, signal: until })
        joined.push(session)
        return createReader(session)
      }
      const another = () => (wanted-- > 0 ? join() : undefined)
      /** No one is waited for; only what has been read to its end leaves the connection fit for more. */
      function stop(finished: boolean): void {
        over.abort()
        if (!finished) left.abort()
      }
      try {
        yield* readAhead(queries, { first: reader, another, sizes, stop }, options)
      } finally {
        await Promise.all(joined.map((session) => session.close()))
      }
    },
    close: () => first.close(),
  }
}
