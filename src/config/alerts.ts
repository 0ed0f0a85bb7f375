/** Who is told when an archive needs somebody. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { hostOf, isPrivateAddress } from '../runtime/private-address.ts'
import { custom } from './checks.ts'

export interface AlertConfig {
  /** May hold a token in its path or query: only its origin is ever shown. */
  readonly url: string
  /** Bytes that bodies are signed with. */
  readonly key: Buffer
  /** Whether it may be in a private network, or on this machine. */
  readonly allowPrivate: boolean
}

/** As the specification of Standard Webhooks has it, bytes. */
const leastKeyBytes = 24

const wantedSecret =
  `expected at least ${leastKeyBytes} characters, or whsec_ and at least ${leastKeyBytes} bytes in base64; ` +
  'make one with: echo "whsec_$(openssl rand -base64 32)"'

/** `whsec_` and base64, as the libraries of Standard Webhooks take it; or any text, whose bytes are the key. */
export const alertSecret = z.string().transform((text, context) => {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]*={0,2})$/.exec(text) ?? []
  const key = Buffer.from(encoded ?? text, encoded === undefined ? 'utf8' : 'base64')
  const isMeant = encoded !== undefined || !text.startsWith('whsec_')
  // the value is never shown: it is a secret
  return isMeant && key.length >= leastKeyBytes ? key : custom(context, wantedSecret)
})

interface AlertVariables {
  readonly ALERT_WEBHOOK_URL?: string | undefined
  readonly ALERT_WEBHOOK_SECRET?: Buffer | undefined
  readonly ALERT_WEBHOOK_ALLOW_PRIVATE: boolean
}

/** Undefined: nobody. */
export function alertConfig(v: AlertVariables): AlertConfig | undefined {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: key } = v
  if (url === undefined || key === undefined) return undefined
  return Object.freeze({ url, key, allowPrivate: v.ALERT_WEBHOOK_ALLOW_PRIVATE })
}

/** What no variable is alone to blame for. */
export function alertConflicts(
  given: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET, ALERT_WEBHOOK_ALLOW_PRIVATE } = given
  if (url === undefined) {
    return ALERT_WEBHOOK_SECRET === undefined
      ? []
      : ['ALERT_WEBHOOK_SECRET: expected ALERT_WEBHOOK_URL beside it']
  }
  const problems: string[] = []
  if (ALERT_WEBHOOK_SECRET === undefined) {
    problems.push(`ALERT_WEBHOOK_SECRET: ${wantedSecret}, got nothing`)
  }
  if (ALERT_WEBHOOK_ALLOW_PRIVATE !== 'true' && URL.canParse(url) && isPrivateUrl(new URL(url))) {
    problems.push(
      'ALERT_WEBHOOK_URL: expected an address that is public, unless ALERT_WEBHOOK_ALLOW_PRIVATE is true',
    )
  }
  return problems
}

/** As far as the URL itself says so; what its name stands for is looked at with each call. */
function isPrivateUrl(url: URL): boolean {
  const host = hostOf(url)
  return isIP(host) === 0 ? /(^|\.)localhost\.?$/.test(host) : isPrivateAddress(host)
}
