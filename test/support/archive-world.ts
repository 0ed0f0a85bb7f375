import { randomUUID } from 'node:crypto'
import { archiveWindows } from '../../src/archive/archive-windows.ts'
import type { ArchiveDefinition } from '../../src/archive/model.ts'
import type { WindowDeps } from '../../src/archive/window-steps.ts'
import type { ExportRecord } from '../../src/export/model.ts'
import { objectKey } from '../../src/export/object-key.ts'
import type { Dice } from './dice.ts'
import { createMemoryArchiveLedger } from './memory-archive-ledger.ts'
import { createMemoryExportRecords } from './memory-export-records.ts'
import { newArtifact } from './new-export.ts'

/** Something that was completed, and is to be archived once. */
export interface Completion {
  readonly id: string
  readonly at: Date
}

export interface ArchiveWorld {
  /** Keys and bodies. */
  readonly objects: ReadonlyMap<string, string>
  /** Moves the clock on. */
  pass(ms: number): void
  readonly now: () => Date
  /** Looks at the archive; dies somewhere on the way in some of the cases. */
  look(): Promise<void>
  /** Runs what is queued; fails, dies or is slow in some of the cases. */
  work(): Promise<void>
  /** From here on nothing fails any more. */
  calm(): void
}

export interface ArchiveWorldOptions {
  readonly dice: Dice
  readonly begin: Date
  readonly completions: readonly Completion[]
}

class Crash extends Error {}

/** An installation in memory whose clock, planners and workers a test moves: with processes that die between any two steps. */
export function createArchiveWorld(
  definition: ArchiveDefinition,
  { dice, begin, completions }: ArchiveWorldOptions,
): ArchiveWorld {
  let now = begin
  let faults = true
  const clock = { now: () => now }
  const records = createMemoryExportRecords({ clock })
  const objects = new Map<string, string>()
  const signal = new AbortController().signal
  const keyPrefix = 'p/'

  /** Before the step, or after it, the process may be gone. */
  const mayCrash = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
        return (...args: unknown[]) => {
          if (name === 'list') return method.apply(target, args)
          return (async () => {
            if (faults && dice.percent(1)) throw new Crash()
            const result = await method.apply(target, args)
            if (faults && dice.percent(1)) throw new Crash()
            return result
          })()
        }
      },
    })

  const deps: WindowDeps = {
    ledger: mayCrash(createMemoryArchiveLedger()),
    records: mayCrash(records),
    queue: mayCrash({ enqueue: () => Promise.resolve() }),
    artifacts: mayCrash({
      // eslint-disable-next-line @typescript-eslint/require-await
      list: async function* (prefix: string) {
        for (const key of [...objects.keys()].filter((key) => key.startsWith(prefix))) {
          yield { kind: 'object' as const, key, at: now }
        }
      },
      stat: (key: string) =>
        Promise.resolve(objects.has(key) ? { key, bytes: 20, etag: '"e"' } : undefined),
      remove: (key: string) => Promise.resolve(void objects.delete(key)),
      abortUploads: () => Promise.resolve(),
    }),
    manifests: mayCrash({
      get: (key: string) => Promise.resolve(objects.get(key)),
      putOnce(key: string, text: string) {
        const isNew = !objects.has(key)
        if (isNew) objects.set(key, text)
        return Promise.resolve(isNew)
      },
    }),
    clock,
    settings: { keyPrefix, openWindows: 4 },
  }

  async function runAttempt(queued: ExportRecord): Promise<void> {
    const claimed = await records.claim(queued.id, { leaseMs: 60_000 })
    if (claimed === undefined) return
    const { range } = claimed.spec
    const [from, to] = [new Date(range.from), new Date(range.to)]
    const ids = completions.filter(({ at }) => at >= from && at < to).map(({ id }) => id)
    if (faults && dice.percent(5)) {
      const error = { code: 'SOURCE_QUERY_FAILED', message: 'no such table', retryable: false }
      const failure = { error, again: dice.percent(50), failures: 1, rows: 0, at: now }
      await records.fail(claimed, failure)
      return
    }
    const key = objectKey(keyPrefix, claimed)
    objects.set(key, ids.map((id) => `${id}\n`).join(''))
    // dies between the upload and the record: the object is of an attempt that never wins
    if (faults && dice.percent(5)) return
    const artifact = newArtifact({ key, rows: ids.length })
    await records.complete(claimed, artifact, {
      ...{ finishedAt: now, snapshotAt: now, expiresAt: undefined },
    })
  }

  return {
    objects,
    now: () => now,
    pass: (ms) => void (now = new Date(now.getTime() + ms)),
    calm: () => void (faults = false),
    async look() {
      await archiveWindows(deps, definition, { signal }).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error
      })
    },
    async work() {
      const before = new Date(now.getTime() + 1)
      for (const record of await records.listUnattended({ before, limit: 100, after: undefined })) {
        await runAttempt(record)
      }
    },
  }
}

/** Completions at random, and at the very edges of days in any zone: an instant of each quarter of an hour. */
export function rollCompletions(dice: Dice, begin: Date, days: number): readonly Completion[] {
  const quarterMs = 900_000
  const quarters = days * 96
  return Array.from({ length: days * 10 }, () => {
    const quarter = begin.getTime() + dice.between(0, quarters - 1) * quarterMs
    const at = new Date(quarter + dice.pick([0, 0, -1, dice.between(1, quarterMs - 2)]))
    return { id: randomUUID(), at }
  }).filter(({ at }) => at >= begin)
}
