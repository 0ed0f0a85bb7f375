import type { UnreachedReceiver } from '../doctor/ports.ts'
import { PrivateAddress } from './public-lookup.ts'

/** What a connection met. Neither the error nor its cause goes on: those of TLS bring along whole certificates. */
export function unreachedBy(error: unknown): UnreachedReceiver {
  const { message, code } = error as NodeJS.ErrnoException
  return {
    // an error of several addresses has no message of its own
    reason: message === '' ? (code ?? 'no address answered') : message,
    isPrivate: error instanceof PrivateAddress,
  }
}
