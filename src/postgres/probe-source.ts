import { untilAborted } from '../runtime/abort.ts'
import { connect, disconnect } from './pool.ts'
import { translatePgError } from './pg-errors.ts'

/**
 * Opens a connection to the source and asks it for nothing: the source has no connections that are kept.
 * @throws SourceError
 */
export async function probeSource(
  url: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const client = await connect(url, 'source database', { signal })
  try {
    await untilAborted(client.query('select'), signal)
  } catch (error) {
    throw translatePgError(error, 'source database')
  } finally {
    await disconnect(client)
  }
}
