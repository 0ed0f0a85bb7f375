import { randomUUID } from 'node:crypto'
import { archiveWindows } from '../../src/archive/archive-windows.ts'
import { checkWindow } from '../../src/verify/check-window.ts'
import { currentGenerations } from '../../src/archive/coverage.ts'
import type { ArchiveDefinition } from '../../src/archive/model.ts'
import { compareArtifacts } from '../../src/verify/compare-artifacts.ts'
import type { RowCounter } from '../../src/verify/ports.ts'
import { planRepair } from '../../src/archive/repair-windows.ts'
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
  /** The source has it from then on, which is later for what is dated back; absent: at once. */
  readonly seenAt?: Date
  /** The source has it until then; absent: for ever. */
  readonly goneAt?: Date
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
  /** Plans what came late to windows that are archived; dies somewhere on the way in some of the cases. */
  check(): Promise<void>
  /** From here on nothing fails any more. */
  calm(): void
}

export interface ArchiveWorldOptions {
  readonly dice: Dice
  readonly begin: Date
  readonly completions: readonly Completion[]
}

class Crash extends Error {}

/** Objects of which no reader of a partition ever finds two generations of a window. */
class PartitionedObjects extends Map<string, string> {
  override set(key: string, body: string): this {
    const [, window, generation] = partitioned.exec(key) ?? []
    for (const other of window === undefined ? [] : this.keys()) {
      const [, sameWindow, otherGeneration] = partitioned.exec(other) ?? []
      if (sameWindow === window && otherGeneration !== generation) {
        throw new RangeError(`${key} was written beside ${other}`)
      }
    }
    return super.set(key, body)
  }
}
const partitioned = /^p\/archive\/[^/]+\/(dt=[^/]+\/[^/]+)_g(\d+)_/

/** An installation in memory whose clock, planners and workers a test moves: with processes that die between any two steps. */
export function createArchiveWorld(
  definition: ArchiveDefinition,
  { dice, begin, completions }: ArchiveWorldOptions,
): ArchiveWorld {
  let now = begin
  let faults = true
  const clock = { now: () => now }
  const records = createMemoryExportRecords({ clock })
  const objects = new PartitionedObjects()
  const signal = new AbortController().signal
  const keyPrefix = 'p/'

  /** Before a step, or after it, the process may be gone; one that is gone takes no other step. */
  function mortal() {
    let isDead = false
    function mayDie(): void {
      isDead ||= faults && dice.percent(1)
      if (isDead) throw new Crash()
    }
    return <Port extends object>(port: Port): Port =>
      new Proxy(port, {
        get: (target, name) => {
          const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
          return (...args: unknown[]) => {
            if (name === 'list') return method.apply(target, args)
            return (async () => {
              mayDie()
              const result = await method.apply(target, args)
              mayDie()
              return result
            })()
          }
        },
      })
  }

  const ledger = createMemoryArchiveLedger()
  /** Those of a process of its own. */
  function start(mayCrash = mortal()): WindowDeps {
    return {
      ledger: mayCrash(ledger),
      records: mayCrash(records),
      queue: mayCrash({ enqueue: () => Promise.resolve() }),
      artifacts: mayCrash({
        // eslint-disable-next-line @typescript-eslint/require-await
        list: async function* (prefix: string) {
          for (const key of [...objects.keys()].filter((key) => key.startsWith(prefix))) {
            yield { kind: 'object' as const, key, at: now }
          }
        },
        stat: (key: string) => Promise.resolve(statOf(key)),
        copy(from: string, to: string) {
          const body = objects.get(from)
          if (body !== undefined) objects.set(to, body)
          return Promise.resolve(body === undefined ? undefined : statOf(to))
        },
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
      comparer: mayCrash(
        compareArtifacts({ read: (key) => Promise.resolve(readBody(objects.get(key))) }),
      ),
      lookAtReplay: () => Promise.resolve(undefined),
      clock,
      settings: { keyPrefix, openWindows: 4 },
    }
  }

  function statOf(key: string) {
    const bytes = objects.get(key)?.length
    return bytes === undefined ? undefined : { key, bytes, etag: '"e"' }
  }
  /** Of what the source has now, the ids of what was completed in a range. */
  const readSource = ({ from, to }: { readonly from: string; readonly to: string }) =>
    completions
      .filter(({ at, seenAt = at, goneAt }) => {
        const isThere = seenAt <= now && (goneAt === undefined || now < goneAt)
        return isThere && at >= new Date(from) && at < new Date(to)
      })
      .map(({ id }) => id)

  async function runAttempt(queued: ExportRecord): Promise<void> {
    const claimed = await records.claim(queued.id, { leaseMs: 60_000 })
    if (claimed === undefined) return
    const ids = readSource(claimed.spec.range)
    if (faults && dice.percent(5)) {
      const error = { code: 'SOURCE_QUERY_FAILED', message: 'no such table', retryable: false }
      const failure = { error, again: dice.percent(50), failures: 1, rows: 0, at: now }
      await records.fail(claimed, failure)
      return
    }
    const key = objectKey(keyPrefix, claimed)
    const body = ids.map((id) => `${JSON.stringify(id)}\n`).join('')
    objects.set(key, body)
    // dies between the upload and the record: the object is of an attempt that never wins
    if (faults && dice.percent(5)) return
    const artifact = newArtifact({ key, rows: ids.length, bytes: body.length })
    await records.complete(claimed, artifact, {
      ...{ finishedAt: now, snapshotAt: now, expiresAt: undefined },
    })
  }

  async function runUnlessDead(step: () => Promise<unknown>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    }
  }

  async function planLate(): Promise<void> {
    const deps = start()
    const range = { from: new Date(now.getTime() - 30 * 24 * 3_600_000), to: now }
    const windows = await ledger.listWindows(definition.name, range)
    const counter: RowCounter = {
      count: (queries) => Promise.resolve(readSource(queries[0]!.segments!.range).length),
    }
    const checkDeps = { manifests: deps.manifests, counter, keyPrefix }
    for (const window of currentGenerations(windows).values()) {
      if (window.state !== 'archived') continue
      const checked = await checkWindow(checkDeps, window, { signal })
      if (checked.outcome === 'late') await planRepair(deps.ledger, checked)
    }
  }

  return {
    objects,
    now: () => now,
    pass: (ms) => void (now = new Date(now.getTime() + ms)),
    calm: () => void (faults = false),
    look: () => runUnlessDead(() => archiveWindows(start(), definition, { signal })),
    check: () => runUnlessDead(planLate),
    async work() {
      const before = new Date(now.getTime() + 1)
      for (const record of await records.listUnattended({ before, limit: 100, after: undefined })) {
        await runAttempt(record)
      }
    },
  }
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* readBytes(body: string) {
  yield Buffer.from(body)
}

const readBody = (body: string | undefined) => (body === undefined ? undefined : readBytes(body))

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
