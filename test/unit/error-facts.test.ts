import { describe, expect, it } from 'vitest'
import { StoreError, errorFacts } from '../../src/errors.ts'

describe('the facts of an error', () => {
  it('hold what the record can store: no NUL, no half of a surrogate pair', () => {
    const said = 'before \0 and \ud800 after, \u{1f600} as it is'
    const { message } = errorFacts(new StoreError('STORE_UNAVAILABLE', said))
    expect(message).toBe('before \ufffd and \ufffd after, \u{1f600} as it is')
  })
})
