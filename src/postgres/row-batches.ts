import type { Readable } from 'node:stream'
import { SourceError } from '../errors.ts'

/**
 * Drains an object stream in batches: whatever it has buffered is one batch, so that no row costs a
 * promise. While the connection that the rows come from is paused, there is a batch, too, be it an empty one, and
 * then the connection goes on. Leaving early destroys the stream.
 * @throws what the stream fails with, or else the signal's reason
 */
export async function* readBatches<Row>(
  stream: Readable,
  connection: Readable,
  signal: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  let failure: Error | undefined
  stream.on('error', (error: Error) => (failure ??= error))
  try {
    while (!stream.readableEnded) {
      if (failure !== undefined) throw failure
      if (stream.closed) throw new SourceError('SOURCE_UNAVAILABLE', 'The rows broke off.')
      signal.throwIfAborted()
      const batch: Row[] = []
      for (let row: unknown; (row = stream.read()) !== null;) batch.push(row as Row)
      if (batch.length > 0 || connection.isPaused()) {
        yield batch
        connection.resume()
      } else await settles(stream, connection, signal)
    }
  } finally {
    stream.destroy()
    // paused, it would not even notice its end
    connection.resume()
  }
}

/**
 * Waits until there is something to read, the stream has ended or failed, the connection is paused, or the signal is
 * aborted. By listeners of its own: `once` with a signal makes an AbortError, with its stack, for each event
 * that it waited for in vain.
 */
function settles(stream: Readable, connection: Readable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) stream.off(event, done)
      connection.off('pause', done)
      signal.removeEventListener('abort', done)
      // what has failed is seen by who looks next: the stream's failure before the signal's reason
      resolve()
    }
    for (const event of events) stream.on(event, done)
    connection.on('pause', done)
    signal.addEventListener('abort', done)
  })
}

const events = ['readable', 'end', 'close', 'error'] as const
