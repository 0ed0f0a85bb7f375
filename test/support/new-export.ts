import { randomUUID } from 'node:crypto'
import type {
  Artifact,
  ExportRecord,
  ExportSpec,
  Instant,
  NewExport,
  Range,
} from '../../src/export/model.ts'

export const rangeOf = (from: string, to: string): Range => ({
  from: from as Instant,
  to: to as Instant,
})

/** A spec with everything at its default. */
export const newSpec = (overrides: Partial<ExportSpec> = {}): ExportSpec => ({
  dataset: 'services',
  range: rangeOf('2014-07-22T12:00:00.000Z', '2014-07-22T18:00:00.000Z'),
  filterEvents: 'any',
  exportContent: false,
  filterState: 'any',
  format: 'json',
  compression: 'none',
  ...overrides,
})

/** A draft under an id of its own. */
export const newExport = (overrides: Partial<NewExport> = {}): NewExport => ({
  id: randomUUID(),
  spec: newSpec(),
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
  fingerprint: 'f'.repeat(64),
  ...overrides,
})

/** The record of a new export, as nobody has claimed it yet. */
export const newRecord = ({
  id = randomUUID(),
  spec = newSpec(),
  createdAt = newExport().createdAt,
  ...overrides
}: Partial<ExportRecord> = {}): ExportRecord => ({
  id,
  spec,
  createdAt,
  state: 'queued',
  attempt: 0,
  failures: 0,
  highestRows: 0,
  dispatch: 1,
  history: [],
  progress: { rows: 0, bytes: 0 },
  ...overrides,
})

export const newArtifact = (overrides: Partial<Artifact> = {}): Artifact => ({
  key: 'exports/x/1/services.json',
  bytes: 20,
  rows: 3,
  sha256: 'a'.repeat(64),
  etag: '"e"',
  contentType: 'application/json',
  ...overrides,
})
