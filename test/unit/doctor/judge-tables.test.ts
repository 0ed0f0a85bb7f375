import { describe, expect, it } from 'vitest'
import { serviceIndexes } from '../../../src/datasets/services-indexes.ts'
import { judgeIndex } from '../../../src/doctor/judge-index.ts'
import { judgePlans } from '../../../src/doctor/judge-plans.ts'
import { judgeStatistics, judgeTable } from '../../../src/doctor/judge-table.ts'
import type { IndexFacts, PlanFacts, TableFacts } from '../../../src/doctor/ports.ts'
import { SourceError } from '../../../src/errors.ts'

const table = (facts: Partial<TableFacts> = {}): TableFacts => ({
  ...{ name: 'context_services.states', kind: 'table', failure: undefined, user: '"Reader"' },
  ...{ hidesRows: false, analyzed: true },
  ...facts,
})

describe('a table', () => {
  it('that may not be read comes with the grants that it takes', () => {
    const message = 'The source database said: permission denied for table states (SQLSTATE 42501).'
    const failure = new SourceError('SOURCE_QUERY_FAILED', message, { hint: 'general' })
    expect(judgeTable(table({ failure }))).toEqual({
      state: 'problem',
      found: `context_services.states: ${message.slice(0, -1)}`,
      advice:
        'Run: grant usage on schema context_services to "Reader"; grant select on context_services.states to "Reader";',
    })
  })

  it('that is not there, cannot be read otherwise, or hides rows is told', () => {
    expect(judgeTable(table())).toMatchObject({ state: 'ok' })
    expect(judgeTable(table({ kind: undefined }))).toMatchObject({ state: 'problem' })
    const failure = new SourceError('SOURCE_QUERY_FAILED', 'Another type.', { hint: 'Convert.' })
    expect(judgeTable(table({ failure }))).toMatchObject({ state: 'problem', advice: 'Convert.' })
    expect(judgeTable(table({ hidesRows: true }))).toMatchObject({ state: 'warning' })
  })

  it('of which the planner knows nothing is named', () => {
    const unknown = table({ name: 'context_services.tasks', analyzed: false })
    expect(judgeStatistics([table(), unknown])).toEqual([
      expect.objectContaining({ state: 'warning', advice: 'Run: analyze context_services.tasks;' }),
    ])
    expect(judgeStatistics([table()])).toMatchObject([{ state: 'ok' }])
    expect(judgeStatistics([table({ analyzed: undefined })])).toMatchObject([{ state: 'skipped' }])
  })
})

describe('an index', () => {
  const facts = (overrides: Partial<IndexFacts>): IndexFacts => ({
    ...{ wanted: serviceIndexes[1]!, kind: 'table', name: undefined, unordered: undefined },
    ...{ invalid: undefined, nameTaken: false, ...overrides },
  })

  it('that is missing comes with the statement that makes it', () => {
    expect(judgeIndex(facts({ name: 'mine' }))).toMatchObject({ state: 'ok' })
    expect(judgeIndex(facts({}))).toMatchObject({
      state: 'problem',
      advice:
        'Run, on the primary: create index concurrently services_completed on context_services.services ' +
        '(completed_at, service_id collate "C") where completed_at is not null;',
    })
    expect(judgeIndex(facts({ nameTaken: true })).advice).toContain('create index concurrently on ')
    expect(judgeIndex(facts({ kind: 'partitioned table' })).advice).not.toContain('concurrently')
  })

  it('that is not valid is to be made again', () => {
    const { state, advice } = judgeIndex(facts({ invalid: 'services_completed', nameTaken: true }))
    expect(state).toBe('problem')
    expect(advice).toContain(
      'drop index concurrently context_services.services_completed; create index concurrently services_completed on',
    )
  })

  it('that gives no order is a warning, with the one that does', () => {
    expect(judgeIndex(facts({ unordered: 'by_completion' }))).toMatchObject({
      state: 'warning',
      found: expect.stringContaining('what by_completion finds has to be sorted') as string,
      advice: expect.stringContaining('create index concurrently services_completed') as string,
    })
  })

  it('of a view is nothing that could be looked at', () => {
    expect(judgeIndex(facts({ kind: 'view' })).state).toBe('skipped')
    expect(judgeIndex(facts({ kind: undefined })).state).toBe('skipped')
  })
})

describe('a plan', () => {
  const range = { from: '2014-07-22T12:00:00.000Z', to: '2014-07-23T12:00:00.000Z' }
  const services = 'context_services.services'
  const plan = (facts: Partial<PlanFacts>): PlanFacts => ({
    ...{ rows: 1200, sorts: false, scans: [], ...facts },
  })

  it('by indexes is fine, and so is reading all of a small table', () => {
    const scans = [
      { table: services, index: 'services_started', tableRows: 1e6 },
      { table: 'context_services.tasks', index: undefined, tableRows: 12 },
    ]
    expect(judgePlans(range, [plan({ scans }), plan({ scans })])).toEqual({
      state: 'ok',
      found:
        'about 2,400 records from 2014-07-22T12:00Z to 2014-07-23T12:00Z would be found by services_started',
    })
  })

  it('that reads a big table, or sorts, is a warning that says so', () => {
    const scans = [{ table: services, index: undefined, tableRows: 20_000 }]
    expect(judgePlans(range, [plan({ scans })])).toMatchObject({
      state: 'warning',
      found: expect.stringContaining(
        'the whole of context_services.services (20,000 rows)',
      ) as string,
    })
    expect(judgePlans(range, [plan({ sorts: true })])).toMatchObject({
      state: 'warning',
      found: expect.stringContaining('sorted before') as string,
    })
  })
})
