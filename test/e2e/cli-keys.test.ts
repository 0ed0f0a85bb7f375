import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseApiKeys } from '../../src/config/api-keys.ts'
import { errorOf, jsonOf, runCli } from '../support/run-cli.ts'

interface Created {
  readonly name: string
  readonly role: string
  readonly key: string
  readonly entry: string
}

describe('longhaul keys create', () => {
  it('makes a key of 256 bits, and the entry for it', async () => {
    const run = () => runCli(['keys', 'create', 'team-a', '--role', 'export', '--json'])
    const [first, second] = [jsonOf(await run()) as Created, jsonOf(await run()) as Created]
    expect(first.key).toMatch(/^lh_[\w-]{43}$/)
    expect(second.key).not.toBe(first.key)
    const sha256 = createHash('sha256').update(first.key).digest('hex')
    expect(parseApiKeys(first.entry, undefined)).toEqual({
      keys: [{ name: 'team-a', role: 'export', sha256 }],
      problems: [],
    })
  })

  it('says where to put it', async () => {
    const { code, stdout } = await runCli(['keys', 'create', 'ops', '--role', 'admin'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/ {2}lh_[\w-]{43}\n[^]*API_KEYS[^]* {2}ops:admin:[0-9a-f]{64}\n/)
  })

  it.each([
    [['keys', 'create', 'a b', '--role', 'read'], /letters, digits/],
    [['keys', 'create', 'a', '--role', 'root'], /export, read, admin/],
    [['keys', 'create', 'a'], /--role/],
    [['keys', 'create', '--role', 'read'], /name/],
  ])('refuses %j', async (args, message) => {
    const result = await runCli([...args, '--json'])
    expect(result.code).toBe(64)
    expect(errorOf(result).message).toMatch(message)
  })
})
