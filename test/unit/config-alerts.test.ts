import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/errors.ts'

const least = { DATABASE_URL: 'postgres://longhaul@db/longhaul', S3_BUCKET: 'exports' }
const url = 'https://hooks.example.com/services/hush-hush-token'
const bytes = Buffer.alloc(32, 7)
const secret = `whsec_${bytes.toString('base64')}`

const problemsOf = (variables: Readonly<Record<string, string>>): readonly string[] => {
  try {
    parseConfig({ ...least, ...variables })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('the configuration of alerts', () => {
  it('is none, or a URL and a key', () => {
    expect(parseConfig(least).alerts).toBeUndefined()
    const given = { ...least, ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret }
    expect(parseConfig(given).alerts).toEqual({ url, key: bytes, allowPrivate: false })
    const text = 'any text of some length, with ä in it'
    const other = { ...given, ALERT_WEBHOOK_SECRET: text, ALERT_WEBHOOK_ALLOW_PRIVATE: 'true' }
    expect(parseConfig(other).alerts).toEqual({ url, key: Buffer.from(text), allowPrivate: true })
  })

  it('wants bodies to be signed, and says how a secret is made', () => {
    expect(problemsOf({ ALERT_WEBHOOK_URL: url })).toEqual([
      expect.stringMatching(/^ALERT_WEBHOOK_SECRET: expected .*openssl rand -base64 32.*nothing$/),
    ])
  })

  it.each([
    'hush-hush',
    'whsec_AAAA',
    'whsec_aHVzaC1odXNo',
    `${secret}!`,
    'whsec_*'.padEnd(60, '*'),
  ])('refuses a secret that is short, or is none, and does not show it: %s', (text) => {
    const problems = problemsOf({ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: text })
    expect(problems).toEqual([
      expect.stringMatching(/^ALERT_WEBHOOK_SECRET: expected at least 24 characters/),
    ])
    expect(problems.join()).not.toContain(text)
  })

  it.each([
    ...['ftp://hooks.example.com/x', 'hooks.example.com', 'https://anna:hush-hush@example.com/'],
    ...['http://127.0.0.1/x', 'http://2130706433/x', 'http://0x7f.1/x', 'http://[::1]:8080/x'],
    ...['http://[::ffff:10.0.0.1]/x', 'http://169.254.169.254/x', 'http://localhost:9/x'],
    ...['http://a.localhost/x', 'http://localhost./x'],
  ])('refuses %s, and does not show it', (text) => {
    const problems = problemsOf({ ALERT_WEBHOOK_URL: text, ALERT_WEBHOOK_SECRET: secret })
    expect(problems).toEqual([expect.stringMatching(/^ALERT_WEBHOOK_URL: expected /)])
    expect(problems.join()).not.toContain(text)
    expect(problems.join()).not.toContain('hush-hush')
  })

  it('lets a private address pass where it is meant', () => {
    const config = parseConfig({
      ...{ ...least, ALERT_WEBHOOK_URL: 'http://127.0.0.1:9/x', ALERT_WEBHOOK_SECRET: secret },
      ALERT_WEBHOOK_ALLOW_PRIVATE: 'true',
    })
    expect(config.alerts).toMatchObject({ url: 'http://127.0.0.1:9/x', allowPrivate: true })
  })

  it.each([
    ['ALERT_WEBHOOK_URI', url, 'did you mean ALERT_WEBHOOK_URL?'],
    ['ALERT_WEBHOOK_SECRET', secret, 'expected ALERT_WEBHOOK_URL beside it'],
    ['ALERT_WEBHOOK_ALLOW_PRIVATE', 'yes', 'expected'],
  ])('names what is wrong: %s', (name, value, expected) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(expected)])
  })
})
