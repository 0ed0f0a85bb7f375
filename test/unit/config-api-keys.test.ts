import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import type { ConfigError } from '../../src/errors.ts'

const least = { DATABASE_URL: 'postgres://db/longhaul', S3_BUCKET: 'exports' }
const [one, two] = ['1'.repeat(64), 'a'.repeat(64)]

const parse = (environment: Readonly<Record<string, string>>) =>
  parseConfig({ ...least, ...environment })

function problemsWith(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    parse(environment)
  } catch (error) {
    return (error as ConfigError).problems
  }
  return []
}

function keyFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-keys-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'keys'), text)
  return join(folder, 'keys')
}

describe('API keys', () => {
  it('are none by default', () => {
    expect(parse({}).apiKeys).toEqual([])
  })

  it('come from a variable and a file together', () => {
    const file = keyFile(`# of the team\n\nnightly:read:${two.toUpperCase()}\n`)
    const config = parse({
      API_KEYS: `team.a:export:${one}, Ops:admin:${'2'.repeat(64)}`,
      API_KEYS_FILE: file,
      HOST: '0.0.0.0',
    })
    expect(config.apiKeys).toEqual([
      { name: 'team.a', role: 'export', sha256: one },
      { name: 'Ops', role: 'admin', sha256: '2'.repeat(64) },
      { name: 'nightly', role: 'read', sha256: two },
    ])
  })

  it.each([
    [{ HOST: '0.0.0.0' }, 'HOST: expected 127.0.0.1, ::1 or localhost, got "0.0.0.0": without API'],
    [{ API_KEYS: 's3cret-pass' }, 'API_KEYS: entry 1: expected name:role:sha256-hex'],
    [{ API_KEYS: `a:root:${one}` }, 'with one of the roles export, read, admin'],
    [{ API_KEYS: `a:read:${one}x` }, 'entry 1'],
    [{ API_KEYS: `a:read:${one}:x` }, 'entry 1'],
    [{ API_KEYS: `a b:read:${one}` }, 'entry 1'],
    [{ API_KEYS: `a:read:${one},a:admin:${two}` }, 'entry 2: expected a name of its own, a is'],
    [{ API_KEYS: ',' }, 'expected at least one key, got none'],
    [
      { API_KEYS_FILE: '/no/such/file' },
      'expected a file that can be read, got /no/such/file: ENOENT',
    ],
  ])('that are wrong are refused, and never shown: %o', (environment, expected) => {
    const problems = problemsWith(environment)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
    expect(problems[0]).not.toMatch(/s3cret-pass|1{64}/)
  })
})
