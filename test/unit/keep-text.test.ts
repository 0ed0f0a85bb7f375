import { describe, expect, it } from 'vitest'
import { keepForEver, parseKeep } from '../../src/runtime/keep-text.ts'

const problemOf = (text: string) => {
  const parsed = parseKeep(text)
  return 'problem' in parsed ? parsed.problem : undefined
}

describe('what is kept, as people write it', () => {
  it.each([
    ['daily 35', 'daily 35', false],
    ['keep daily 35, monthly 24, yearly 7', 'daily 35, monthly 24, yearly 7', false],
    [
      'keep daily 35, monthly 24, yearly 7, for ever',
      'daily 35, monthly 24, yearly 7, for ever',
      true,
    ],
    ['  Keep   YEARLY  7 ,hourly 1', 'yearly 7, hourly 1', false],
    ['daily 007', 'daily 7', false],
    ['daily 100000', 'daily 100000', false],
    ['for ever', 'for ever', true],
    ['keep for  ever', 'for ever', true],
    ['forever', 'for ever', true],
  ])('is understood: %j', (given, text, forEver) => {
    expect(parseKeep(given)).toMatchObject({ text, forEver })
    expect(parseKeep(text)).toEqual(parseKeep(given))
  })

  it('has a count for each span', () => {
    expect(parseKeep('daily 35, yearly 7')).toEqual({
      text: 'daily 35, yearly 7',
      forEver: false,
      clauses: [
        { span: 'daily', count: 35 },
        { span: 'yearly', count: 7 },
      ],
    })
    expect(parseKeep('for ever')).toEqual(keepForEver)
  })

  it.each([
    'daily 0',
    'daily 00',
    'keep daily 0, monthly 0',
    'monthly 24, daily 0',
    'daily -1',
    '',
  ])('is refused where it would delete everything: %j', (text) => {
    const problem = problemOf(text)
    expect(problem).toContain(
      'expected what is kept, such as daily 35, monthly 24, yearly 7, or for ever',
    )
    expect(problem).toContain(`got ${JSON.stringify(text)}`)
    expect(problem).toContain('would delete everything')
  })

  it.each([
    ...[
      'nothing',
      'none',
      'never',
      '35',
      'daily',
      'daily x',
      'daily 1.5',
      'daily 1e3',
      'daily 35 days',
    ],
    ...[
      'weekly 5',
      'daily 35,',
      ',daily 35',
      'daily 35 monthly 24',
      'daily 1, daily 2',
      'yearly for ever',
    ],
    ...[
      'daily 35; monthly 24',
      'dailу 35',
      'keep',
      'constructor 1',
      'daily 100001',
      'daily 9007199254740993',
    ],
  ])('is refused with what was expected: %j', (text) => {
    expect(problemOf(text)).toMatch(/^expected what is kept, such as daily 35.* got "/)
  })

  it('is refused without an echo of a text that has no end', () => {
    expect(problemOf('x'.repeat(10_000))!.length).toBeLessThan(400)
  })
})
