import { describe, expect, it } from 'vitest'
import { serviceIndexes } from '../../../src/datasets/services-indexes.ts'
import {
  matchFirstColumn,
  matchIndex,
  type ExistingIndex,
} from '../../../src/postgres/match-index.ts'

const [started, completed, states] = serviceIndexes

const existing = (facts: Partial<ExistingIndex> = {}): ExistingIndex => ({
  ...{ table: 'context_services.services', name: 'any', valid: true, predicate: null },
  columns: ['started_at', 'service_id'],
  collations: [null, 'C'],
  options: [0, 0],
  ...facts,
})

const matches = (wanted: typeof started, facts: Partial<ExistingIndex>) =>
  matchIndex(wanted!, [existing(facts)]) !== undefined

describe('an index', () => {
  it('will do under any name, with more columns, and in the other direction', () => {
    expect(matches(started, {})).toBe(true)
    const more = { columns: ['started_at', 'service_id', null], collations: [null, 'C', null] }
    expect(matches(started, { ...more, options: [0, 0, 3] })).toBe(true)
    expect(matches(started, { options: [3, 3] })).toBe(true)
  })

  it.each([
    ['its columns are in another order', { columns: ['service_id', 'started_at'] }],
    ['it is on an expression', { columns: [null, 'service_id'] }],
    ['it lacks the id', { columns: ['started_at'], options: [0] }],
    ['its ids are in the order of a language', { collations: [null, 'en_US.utf8'] }],
    ['its columns have two directions', { options: [3, 0] }],
    ['it leaves out rows', { predicate: '(started_at IS NOT NULL)' }],
    ['it is of another table', { table: 'public.services' }],
  ])('will not do when %s', (_why, facts) => {
    expect(matches(started, facts)).toBe(false)
  })

  it('may leave out the rows that no range selects, and no others', () => {
    const columns = ['completed_at', 'service_id']
    expect(matches(completed, { columns })).toBe(true)
    expect(matches(completed, { columns, predicate: '(completed_at IS NOT NULL)' })).toBe(true)
    expect(matches(completed, { columns, predicate: "(service_type = '100'::text)" })).toBe(false)
  })

  it('that finds rows, but in another order, is known as such', () => {
    const { name } = matchFirstColumn(started!, [existing({ collations: [null, 'default'] })])!
    expect(name).toBe('any')
    expect(matchFirstColumn(started!, [existing({ columns: ['service_id'] })])).toBeUndefined()
  })

  it('by which rows are only looked up may be in any order of letters', () => {
    const facts = { table: 'context_services.states', columns: ['service_id', 'state_id'] }
    expect(matches(states, { ...facts, collations: ['default', 'default'] })).toBe(true)
  })

  it('that is valid comes before one that is not', () => {
    const both = [existing({ name: 'broken', valid: false }), existing({ name: 'whole' })]
    expect(matchIndex(started!, both)?.name).toBe('whole')
    expect(matchIndex(started!, both.slice(0, 1))).toMatchObject({ name: 'broken', valid: false })
  })
})
