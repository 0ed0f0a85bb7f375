import { windowsFrom } from '../../src/archive/calendar.ts'
import { describeWindow, manifestKey, sealManifest } from '../../src/archive/manifest.ts'
import type { ArchiveDefinition, LedgerWindow } from '../../src/archive/model.ts'
import type { PruneDeps } from '../../src/archive/prune.ts'
import { builtInDefinition } from '../../src/archive/definitions.ts'
import type { Compression } from '../../src/encode/compression.ts'
import type { Instant } from '../../src/export/model.ts'
import { partitionKey } from '../../src/export/object-key.ts'
import { parseKeep } from '../../src/runtime/keep-text.ts'
import { createMemoryArchiveLedger } from './memory-archive-ledger.ts'
import { createMemoryArtifactStore } from './memory-artifact-store.ts'
import { createMemoryExportRecords } from './memory-export-records.ts'
import { newArtifact, newExport, newSpec } from './new-export.ts'

const calendar = { unit: 'day', timeZone: 'Europe/Berlin' } as const
const start = new Date('2026-03-24T23:00:00Z')
export const worldNow = new Date('2026-05-01T12:00:00Z')
const keyPrefix = 'p/'

/** An archive of days in memory, from 2026-03-25 on, with what an archived window has: an object, a record, a manifest. */
export async function createRetentionWorld(
  days: number,
  { compression = 'gzip' }: { readonly compression?: Compression } = {},
) {
  const ledger = createMemoryArchiveLedger()
  const clock = { now: () => worldNow }
  const records = createMemoryExportRecords({ clock })
  const artifacts = createMemoryArtifactStore()
  const manifests = {
    get: (key: string) => Promise.resolve(artifacts.objects.get(key)?.toString()),
  }
  async function put(key: string, text: string): Promise<void> {
    const chunks = (async function* () {
      yield await Promise.resolve(Buffer.from(text))
    })()
    await artifacts.put(key, chunks, { contentType: '', signal: new AbortController().signal })
  }
  const { request, ...rest } = builtInDefinition({
    ...{ timeZone: calendar.timeZone, start: undefined, settleMinutes: 0 },
  })
  const definition: ArchiveDefinition = { ...rest, request, start }
  const archive = await ledger.open(definition, worldNow)

  /** Archives a generation of a window. */
  async function archiveWindow(window: ReturnType<typeof dayAt>, generation = 1) {
    const key = { archive: archive.name, from: window.from, generation }
    await ledger.plan(key, window, request)
    const range = {
      from: window.from.toISOString() as Instant,
      to: window.to.toISOString() as Instant,
    }
    const place = { name: archive.name, date: window.date, generation }
    const spec = newSpec({ range, format: 'ndjson', compression })
    const { record } = await records.create(newExport({ spec, archive: place }))
    await ledger.begin(key, record.id)
    const claim = (await records.claim(record.id, { leaseMs: 60_000 }))!
    const at = partitionKey(keyPrefix, claim)
    const body = `${window.name} ${generation}`
    await put(at, body)
    await records.complete(claim, newArtifact({ key: at, bytes: body.length, rows: 2 }), {
      ...{ finishedAt: worldNow, snapshotAt: worldNow, expiresAt: undefined },
    })
    const entry = (await ledger.get(key))!
    const manifest = describeWindow(entry, calendar, await records.get(record.id))
    await put(manifestKey(keyPrefix, entry), sealManifest(manifest))
    await ledger.finish(key, record.id, worldNow)
    return { at, id: record.id }
  }
  const windows = windowsFrom(calendar, start)
  const dayAt = () => windows.next().value as LedgerWindow
  for (let day = 0; day < days; day++) await archiveWindow(dayAt())

  const deps: PruneDeps = {
    ...{ ledger, retention: ledger, records, artifacts, manifests, clock, keyPrefix },
  }
  const keysOf = (text: string) =>
    [...artifacts.objects.keys()].filter((key) => key.includes(text)).sort()
  return {
    ...{ ledger, records, artifacts, archive, definition, deps, put, archiveWindow, keysOf },
    policy: (text: string) => {
      const keep = parseKeep(text)
      if ('problem' in keep) throw new Error(keep.problem)
      return keep
    },
    /** `2026-03-25 archived`, of all windows and generations. */
    states: async () =>
      (await ledger.listWindows(archive.name, { from: start, to: worldNow })).map(
        ({ name, state }) => `${name} ${state}`,
      ),
    windowNamed: async (name: string) => {
      const all = await ledger.listWindows(archive.name, { from: start, to: worldNow })
      return all.find((each) => each.name === name)!
    },
    manifestOf: (name: string) =>
      keysOf('_manifests/').find((key) =>
        artifacts.objects.get(key)?.includes(`"window":"${name}"`),
      )!,
  }
}
