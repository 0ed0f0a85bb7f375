import type pg from 'pg'
import type QueryStream from 'pg-query-stream'

export interface SyncedOptions {
  /** Told when the server begins to work for the stream, and when it is ready again. */
  readonly onWork: (working: boolean) => void
  /** Told when the portal is closed, and the connection ready for something else; after an error, never. */
  readonly onClosed: () => void
  /** Told what the server said at once; the stream keeps it until the server is ready, which may be never. */
  readonly onError: (error: Error) => void
}

/** What a client tells the stream, whose own types say less. */
interface Told {
  readonly handleError: (error: Error) => void
  readonly handleReadyForQuery: () => void
}

/**
 * Runs a query stream in such a way that each batch is a statement of its own to the server's timeouts:
 * Sync ends it, where the stream itself sends Flush. After a Flush the server goes on counting: all batches
 * together would be one statement to statement_timeout, and a session that waits for its reader would
 * be no idle one (it is shown as `active`, waiting for `ClientRead`). Within a transaction a portal outlives
 * Sync ("Extended query", PostgreSQL documentation).
 * @returns the stream
 */
export function querySynced(
  client: pg.Client,
  stream: QueryStream,
  { onWork, onClosed, onError }: SyncedOptions,
): QueryStream {
  const { connection } = client
  const { handleError, handleReadyForQuery } = stream as unknown as Told
  let unsent: (() => void)[] = []
  let closing = false
  /** What the client will send once the server is ready for it. */
  let queued: { messages: readonly (() => void)[]; closes: boolean } | undefined

  /** What is sent up to a Sync is a query to the client: it takes messages for nobody else meanwhile. */
  function send(): void {
    // pg-cursor sends Sync after an error; ours went with the messages that failed
    if (unsent.length === 0) return
    const sent = { messages: unsent, closes: closing }
    unsent = []
    if (queued !== undefined) {
      // only a close comes so soon: nobody waits any more for the batch that has not been asked for yet
      Object.assign(queued, sent)
      return
    }
    const query = (queued = sent)
    client.query({
      submit() {
        queued = undefined
        if (!query.closes) onWork(true)
        // one packet, which the server reads at once
        connection.stream.cork()
        for (const message of query.messages) message()
        connection.sync()
        connection.stream.uncork()
      },
      handleRowDescription: stream.handleRowDescription,
      handleDataRow: stream.handleDataRow,
      handlePortalSuspended: stream.handlePortalSuspended,
      handleCommandComplete: stream.handleCommandComplete,
      handleEmptyQuery: stream.handleEmptyQuery,
      handleError(error: Error) {
        if (!query.closes) onWork(false)
        onError(error)
        handleError(error)
      },
      handleReadyForQuery() {
        if (!query.closes) {
          onWork(false)
          return
        }
        // to the stream this is its end, whenever it comes
        handleReadyForQuery()
        onClosed()
      },
    })
  }

  const hold = (message: () => void) => void unsent.push(message)
  /** What pg-cursor uses of a connection. */
  const held = {
    parse: (query: pg.QueryParse) => hold(() => connection.parse(query, true)),
    bind: (config: pg.BindConfig) => hold(() => connection.bind(config, true)),
    describe: (message: pg.MessageConfig) => hold(() => connection.describe(message, true)),
    execute: (config: pg.ExecuteConfig) => hold(() => connection.execute(config, true)),
    close(message: pg.MessageConfig) {
      closing = true
      hold(() => connection.close(message, true))
    },
    flush: send,
    sync: send,
    once: connection.once.bind(connection),
    removeListener: connection.removeListener.bind(connection),
  }
  stream.submit(held as unknown as pg.Connection)
  return stream
}
