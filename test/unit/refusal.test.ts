import { describe, expect, it } from 'vitest'
import { parseRefusal } from '../../src/datasets/refusal.ts'
import { EncodeError } from '../../src/errors.ts'

/** As PostgreSQL words a cast that failed. */
const castError = (facts: readonly string[]) =>
  `invalid input syntax for type integer: "longhaul refuses ${JSON.stringify(facts)}"`

describe('a refusal', () => {
  it('names a service', () => {
    const error = parseRefusal(castError(['service', 'its started_at is infinite', 'S-1']))
    expect(error).toBeInstanceOf(EncodeError)
    expect(error!.message).toBe('The service "S-1" cannot be exported: its started_at is infinite.')
    expect(error).toMatchObject({ code: 'ENCODE_UNSUPPORTED_VALUE', retryable: false })
  })

  it('names a state or task with its service', () => {
    const error = parseRefusal(castError(['task', 'its column started is bad', '0', 'S-1']))
    expect(error!.message).toBe(
      'The task "0" of service "S-1" cannot be exported: its column started is bad.',
    )
  })

  it.each(['with "quotes"', 'with ] and [', 'ünï 日本', 'line\nfeed', "it's", '\\', ''])(
    'names an id that is odd: %j',
    (id) => {
      expect(parseRefusal(castError(['service', 'x', id]))!.message).toContain(JSON.stringify(id))
    },
  )

  it('is understood in any language of the server', () => {
    const facts = 'longhaul refuses ["service", "x", "S-1"]'
    for (const message of [
      `ungültige Eingabesyntax für Typ integer: »${facts}«`,
      `syntaxe en entrée invalide pour le type integer : « ${facts} »`,
      `型"integer"の入力構文が不正です: "${facts}"`,
    ]) {
      expect(parseRefusal(message)!.message).toContain('"S-1"')
    }
  })

  it.each([
    'relation "context_services.services" does not exist',
    'invalid input syntax for type integer: "seven"',
    '',
    'invalid input syntax for type json: "longhaul refuses to say"',
    'invalid input syntax for type json: "longhaul refuses [or does it]"',
  ])('is not seen in any other message: %s', (message) => {
    expect(parseRefusal(message)).toBeUndefined()
  })
})
