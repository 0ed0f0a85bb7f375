import { readFileSync } from 'node:fs'

/**
 * What a key may do. `export`: request exports and streams, and see, cancel and delete its own. `read`: see all exports,
 * and what is measured. `admin`: everything.
 */
export const apiKeyRoles = ['export', 'read', 'admin'] as const
export type ApiKeyRole = (typeof apiKeyRoles)[number]

export interface ApiKey {
  /** Stands on the records of what it asked for, and in the log. */
  readonly name: string
  readonly role: ApiKeyRole
  /** Of the key itself, which is nowhere kept; lower-case hex. */
  readonly sha256: string
}

export const apiKeyName = /^[a-z0-9][a-z0-9._-]{0,62}$/i

const expected = `expected name:role:sha256-hex, with one of the roles ${apiKeyRoles.join(', ')}`

/** A line of a file or one entry among commas; what begins with # is a remark. */
const entriesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

export interface ParsedKeys {
  readonly keys: readonly ApiKey[]
  /** Each names the entry by its number: what stands there may be a key that was never digested. */
  readonly problems: readonly string[]
}

/** The keys of both variables together. */
export function parseApiKeys(text: string | undefined, file: string | undefined): ParsedKeys {
  const keys: ApiKey[] = []
  const problems: string[] = []
  const take = (variable: string, source: string) => {
    entriesOf(source).forEach((entry, index) => {
      const key = parseEntry(entry)
      const where = `${variable}: entry ${index + 1}`
      if (key === undefined) problems.push(`${where}: ${expected}`)
      else if (keys.some(({ name }) => name === key.name)) {
        problems.push(`${where}: expected a name of its own, ${key.name} is another key's`)
      } else keys.push(key)
    })
  }
  if (text !== undefined) take('API_KEYS', text)
  if (file !== undefined) {
    try {
      take('API_KEYS_FILE', readFileSync(file, 'utf8'))
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error)
      problems.push(`API_KEYS_FILE: expected a file that can be read, got ${file}: ${reason}`)
    }
  }
  const given = text !== undefined || file !== undefined
  if (given && keys.length === 0 && problems.length === 0) {
    problems.push('API_KEYS, API_KEYS_FILE: expected at least one key, got none')
  }
  return { keys, problems }
}

function parseEntry(entry: string): ApiKey | undefined {
  const [name = '', role = '', sha256 = '', ...rest] = entry.split(':')
  const known = apiKeyRoles.find((each) => each === role)
  const fine = apiKeyName.test(name) && /^[0-9a-f]{64}$/i.test(sha256)
  return known === undefined || !fine || rest.length > 0
    ? undefined
    : { name, role: known, sha256: sha256.toLowerCase() }
}
