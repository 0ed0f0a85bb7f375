import type { ExportRecord, ExportSpec } from '../../src/export/model.ts'
import { runExport, type RunExportDeps } from '../../src/export/run-export.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createListSource, type ListSource } from './list-source.ts'
import { createMemoryArtifactStore, type MemoryArtifactStore } from './memory-artifact-store.ts'
import { createMemoryExportRecords } from './memory-export-records.ts'
import { newExport, newSpec } from './new-export.ts'

/** What `runExport` needs, all in memory, with one export that is queued. */
export interface ExportBundle extends RunExportDeps {
  readonly source: ListSource
  readonly artifacts: MemoryArtifactStore
  readonly id: string
  /** Runs one attempt. */
  readonly run: (options?: RunOptions) => ReturnType<typeof runExport>
  readonly record: () => Promise<ExportRecord>
}

export interface RunOptions extends Partial<RunExportDeps> {
  readonly signal?: AbortSignal
}

export const fourRows = [
  ['"S1"', '"S2"'],
  ['"S3"', '"S4"'],
]
export const fourRowsText = '["S1",\n"S2",\n"S3",\n"S4"]'

export async function exportBundle(
  source: ListSource = createListSource(fourRows),
  spec: Partial<ExportSpec> = {},
): Promise<ExportBundle> {
  const deps = {
    records: createMemoryExportRecords(),
    queue: { enqueue: () => Promise.resolve() },
    source,
    artifacts: createMemoryArtifactStore(),
    isArchived: () => Promise.resolve(false),
    clock: systemClock,
    settings: {
      keyPrefix: 'p/',
      leaseMs: 60_000,
      perKey: undefined,
      stallMs: 60_000,
      maxMs: 3_600_000,
      progressMs: 5,
      artifactTtlMs: 7 * 24 * 3600 * 1000,
      maxFailures: 3,
      maxAttempts: 10,
    },
  }
  const { id } = (await deps.records.create(newExport({ spec: newSpec(spec) }))).record
  return {
    ...deps,
    id,
    run: ({ signal = new AbortController().signal, ...overrides } = {}) =>
      runExport({ ...deps, ...overrides }, id, { signal }),
    record: () => deps.records.get(id),
  }
}
