import { createHash, randomBytes } from 'node:crypto'
import type { ApiKeyRole } from '../../src/config/api-keys.ts'

export interface TestKeys {
  /** The key of a name. */
  readonly keyOf: (name: string) => string
  /** That make server and worker know them. */
  readonly variables: { readonly API_KEYS: string }
  readonly secrets: readonly string[]
}

/** New keys by their names. */
export function testKeys(roles: Readonly<Record<string, ApiKeyRole>>): TestKeys {
  const keys = new Map(
    Object.keys(roles).map((name) => [name, `lh_${randomBytes(32).toString('base64url')}`]),
  )
  const entries = [...keys].map(
    ([name, key]) => `${name}:${roles[name]}:${createHash('sha256').update(key).digest('hex')}`,
  )
  return {
    keyOf: (name) => keys.get(name)!,
    variables: { API_KEYS: entries.join(',') },
    secrets: [...keys.values()],
  }
}
