import type { LedgerWindow } from '../../src/archive/model.ts'

/** A window of the archive `services` as the ledger has it: a day in UTC, whose export runs. */
export const newWindow = (overrides: Partial<LedgerWindow> = {}): LedgerWindow => ({
  ...{ archive: 'services', name: '2014-07-22', date: '2014-07-22', generation: 1 },
  from: new Date('2014-07-22T00:00:00Z'),
  to: new Date('2014-07-23T00:00:00Z'),
  ...{ state: 'running', tries: 1 },
  request: {
    ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
    ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
  },
  ...overrides,
})
