import type { FetchedLink } from '../doctor/bucket-ports.ts'
import type { Asking } from '../doctor/ports.ts'

/** The whole object, and a part of it, as whoever goes on with a download asks for it. */
const partOfIt = { from: 10, to: 99 }

/**
 * Fetches what a link leads to, as whoever downloads does: without credentials.
 * @returns `unreachable`: why nobody answered
 */
export async function fetchLink(
  url: string,
  stored: Buffer,
  { signal }: Asking,
): Promise<FetchedLink | { readonly unreachable: string }> {
  const { from, to } = partOfIt
  try {
    const whole = await get(url, {}, signal)
    const part = await get(url, { range: `bytes=${from}-${to}` }, signal)
    // a store that knows no ranges sends all of it
    const wanted = part.status === 206 ? stored.subarray(from, to + 1) : stored
    return {
      statuses: [whole.status, part.status],
      same: whole.bytes.equals(stored) && part.bytes.equals(wanted),
    }
  } catch (error) {
    signal.throwIfAborted()
    return { unreachable: reasonOf(error) }
  }
}

async function get(url: string, headers: Record<string, string>, signal: AbortSignal) {
  const response = await fetch(url, { headers, signal })
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** Of fetch the cause tells why; its own message might name the link, which is a secret. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown }
  const { code, message } = (cause ?? {}) as { readonly code?: string; readonly message?: string }
  return code ?? message ?? 'no connection'
}
