/** What requests say in their headers, for more than one route. */
import type { IncomingHttpHeaders } from 'node:http'
import { SpecError } from '../errors.ts'
import { got } from '../runtime/describe-issues.ts'

/** Tenancy is not built: a request for one tenant must not become one for all. */
export const tenancyProblems = (headers: IncomingHttpHeaders): readonly string[] =>
  ['ContactCenterId', 'GroupId']
    .filter((name) => name.toLowerCase() in headers)
    .map((name) => `${name}: expected no such header, as tenancy is not supported yet`)

/** @throws SpecError */
export function parseIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined || (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key))) return key
  throw new SpecError(
    'SPEC_INVALID',
    `Idempotency-Key: expected 1 to 255 visible ASCII characters, got ${got(key)}.`,
  )
}

/** `Prefer: respond-async`, alone or among other preferences (RFC 7240). */
export const prefersAsync = ({ prefer }: IncomingHttpHeaders): boolean =>
  [prefer ?? []]
    .flat()
    .flatMap((header) => header.split(','))
    .some((preference) => /^\s*respond-async\s*(=\s*""\s*)?(;|$)/i.test(preference))

/**
 * Whether the client asks for gzip (RFC 9110, section 12.5.3): by name, and not as something that it
 * likes less than no coding at all. `*` allows every coding, and asks for none.
 */
export function acceptsGzip({ 'accept-encoding': header = '' }: IncomingHttpHeaders): boolean {
  const weights = new Map(
    [header]
      .flat()
      .flatMap((value) => value.split(','))
      .map((coding) => {
        const [name = '', ...parameters] = coding.split(';').map((part) => part.trim())
        const weight = parameters.find((parameter) => /^q=/i.test(parameter))?.slice(2)
        return [name.toLowerCase(), weight === undefined ? 1 : Number(weight)]
      }),
  )
  const weight = weights.get('gzip') ?? weights.get('x-gzip') ?? 0
  return weight > 0 && weight >= (weights.get('identity') ?? 0)
}
