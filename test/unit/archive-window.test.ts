import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { windowNamed } from '../../src/archive/calendar.ts'
import { builtInDefinition } from '../../src/archive/definitions.ts'
import { describeWindow, manifestKey, sealManifest } from '../../src/archive/manifest.ts'
import type { LedgerWindow, WindowUnit } from '../../src/archive/model.ts'
import { readWindow } from '../../src/archive/read-window.ts'
import type { LinkOptions } from '../../src/export/ports.ts'
import { archiveWindowSchema } from '../../src/http/archive-schemas.ts'
import { viewWindow } from '../../src/http/archive-view.ts'
import { createMemoryArchiveLedger } from '../support/memory-archive-ledger.ts'
import { newArtifact, newRecord, newSpec, rangeOf } from '../support/new-export.ts'

const timeZone = 'Europe/Berlin'
const now = new Date('2026-04-01T12:00:00Z')
const error = { code: 'SOURCE_TIMEOUT', message: 'The source is slow.', retryable: true }
const folder = 'p/archive/services/'

async function setup({ unit = 'day' }: { unit?: WindowUnit } = {}) {
  const defaults = { timeZone, start: '2026-03-01', settleMinutes: 120 }
  const { request, ...definition } = builtInDefinition(defaults)
  const archive = { ...definition, calendar: { unit, timeZone } }
  const ledger = createMemoryArchiveLedger()
  await ledger.open(archive, now)
  const objects = new Map<string, string>()
  const linked: (LinkOptions & { readonly key: string })[] = []
  const expiresAt = new Date('2026-04-01T13:00:00Z')
  const deps = {
    ...{ ledger, clock: { now: () => now }, keyPrefix: 'p/', linkTtlSeconds: 3600 },
    manifests: { get: (key: string) => Promise.resolve(objects.get(key)) },
    artifacts: {
      stat: (key: string) => Promise.resolve({ key, bytes: 20, etag: '"e"' }),
      link(key: string, options: LinkOptions) {
        linked.push({ key, ...options })
        return Promise.resolve({ url: `https://store.example/${key}?signed`, expiresAt })
      },
    },
  }
  async function plan(name: string, generation = 1): Promise<LedgerWindow> {
    const window = windowNamed(archive.calendar, name)!
    const key = { archive: 'services', from: window.from, generation }
    await ledger.plan(key, window, request)
    return (await ledger.get(key))!
  }
  /** Writes a manifest for a generation, whose artifact has so many rows. */
  function seal(window: LedgerWindow, rows: number, key = keyOf(window)): string {
    const range = rangeOf(window.from.toISOString(), window.to.toISOString())
    const at = { snapshotAt: now, finishedAt: now }
    const record = newRecord({
      spec: newSpec({ range, filterEvents: 'completed', exportContent: true, format: 'ndjson' }),
      ...{ state: 'completed', artifact: newArtifact({ key, rows }), ...at },
    })
    return sealManifest(describeWindow(window, archive.calendar, record))
  }
  const keyOf = ({ date, generation }: LedgerWindow) => `${folder}dt=${date}/g${generation}.ndjson`
  async function archived(name: string, generation: number, rows: number) {
    const window = await plan(name, generation)
    objects.set(manifestKey('p/', window), seal(window, rows))
    await ledger.adopt(window, now)
    return window
  }
  async function look(window: string, name = 'services') {
    const view = viewWindow(await readWindow(deps, { archive: name, window }))
    expect(archiveWindowSchema.parse(view)).toStrictEqual(view)
    return view
  }
  return { ledger, objects, linked, plan, seal, archived, look }
}

describe('a window of the API', () => {
  it('that is archived has what its manifest says, and links that were signed for it', async () => {
    const { archived, look, linked } = await setup()
    await archived('2026-03-29', 1, 7)
    const name = '20260328T230000Z_20260329T220000Z'
    const manifest = `${folder}_manifests/${name}_g1.json`
    expect(await look('2026-03-29')).toEqual({
      ...{ archive: 'services', window: '2026-03-29', unit: 'day', time_zone: timeZone },
      ...{ date: '2026-03-29', state: 'archived', generation: 1 },
      ...{ time_from: '2026-03-28T23:00:00.000Z', time_to: '2026-03-29T22:00:00.000Z' },
      settled_at: '2026-03-30T00:00:00.000Z',
      request: {
        ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
        ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
      },
      // by nobody's export: what its manifest says is all that is known
      generations: [
        { generation: 1, state: 'archived', tries: 0, archived_at: '2026-04-01T12:00:00.000Z' },
      ],
      snapshot_at: now.toISOString(),
      artifact: {
        url: `https://store.example/${folder}dt=2026-03-29/g1.ndjson?signed`,
        ...{ url_expires_at: '2026-04-01T13:00:00.000Z', key: `${folder}dt=2026-03-29/g1.ndjson` },
        ...{ rows: 7, bytes: 20, sha256: 'a'.repeat(64), content_type: 'application/json' },
        ...{ raw_bytes: 20, raw_sha256: 'a'.repeat(64) },
      },
      manifest: {
        ...{ url: `https://store.example/${manifest}?signed`, key: manifest },
        url_expires_at: '2026-04-01T13:00:00.000Z',
      },
    })
    expect(linked.map(({ ttlSeconds, fileName }) => [ttlSeconds, fileName])).toEqual([
      [3600, `services_${name}.ndjson`],
      [3600, `services_${name}_g1.json`],
    ])
  })

  it('has the links of its latest archived generation alone', async () => {
    const { archived, plan, ledger, look, linked } = await setup()
    await archived('2026-03-10', 1, 7)
    await archived('2026-03-10', 2, 8)
    const third = await plan('2026-03-10', 3)
    const exportId = randomUUID()
    await ledger.begin(third, exportId)
    await ledger.fail(third, exportId, { error, retryAt: now })
    const view = await look('2026-03-10')
    expect(view).toMatchObject({ state: 'archived', generation: 2, artifact: { rows: 8 } })
    expect(view.generations.map(({ generation, state }) => `${generation} ${state}`)).toEqual([
      ...['1 archived', '2 archived', '3 failed'],
    ])
    expect(view.generations[2]).toMatchObject({
      ...{ tries: 1, export_id: exportId, retry_at: now.toISOString(), error },
    })
    expect(linked.map(({ key }) => key)).toEqual([view.artifact!.key, view.manifest!.key])
    expect(view.artifact!.key).toContain('/g2.')
  })

  it.each(['planned', 'running', 'failed'] as const)('that is %s has no links', async (state) => {
    const { plan, ledger, look, linked } = await setup()
    const window = await plan('2026-03-10')
    const exportId = randomUUID()
    if (state !== 'planned') await ledger.begin(window, exportId)
    if (state === 'failed') await ledger.fail(window, exportId, { error, retryAt: now })
    const view = await look('2026-03-10')
    expect(view).toMatchObject({ state, generation: 1, generations: [{ state, generation: 1 }] })
    expect(view).not.toHaveProperty('artifact')
    expect(linked).toEqual([])
  })

  it('that nobody has planned is missing, or settles', async () => {
    const { look, ledger, plan } = await setup()
    const missing = await look('2026-03-31')
    expect(missing).toMatchObject({ state: 'missing', generations: [] })
    expect(missing).not.toHaveProperty('generation')
    const definition = (await ledger.listArchives())[0]!
    await ledger.open({ ...definition, settleMs: 24 * 3_600_000 }, now)
    expect(await look('2026-03-31')).toMatchObject({
      ...{ state: 'settling', settled_at: '2026-04-01T22:00:00.000Z' },
    })
    // planned all the same, as it had settled when it was
    await plan('2026-03-31')
    expect(await look('2026-03-31')).toMatchObject({ state: 'planned' })
  })

  it('may be from before the first one, where a backfill has filled it', async () => {
    const { archived, look } = await setup()
    await archived('2026-02-27', 1, 3)
    expect(await look('2026-02-27')).toMatchObject({ state: 'archived', artifact: { rows: 3 } })
  })

  it.each([
    ['month', '2026-03', '2026-02-28T23:00:00.000Z'],
    ['hour', '20260329T010000Z', '2026-03-29T01:00:00.000Z'],
  ] as const)('of a %s goes by %s', async (unit, name, from) => {
    const { look } = await setup({ unit })
    expect(await look(name)).toMatchObject({ unit, window: name, time_from: from })
  })
})

describe('no window', () => {
  it.each([
    ['day', '2026-3-29', 'days, named by their local date, in Europe/Berlin: such as 2026-03-31.'],
    ['day', '2026-02-30', 'such as 2026-03-31'],
    ['day', '%00', 'such as 2026-03-31'],
    ['month', '2026-03-29', 'months, named by year and month, in Europe/Berlin: such as 2026-03.'],
    ['hour', '2026-03-29', 'hours, named by their start in UTC, in Europe/Berlin: such as 2026040'],
    ['hour', '20260329T013000Z', 'such as 20260401T110000Z'],
  ] as const)('of a %s is called %s', async (unit, name, hint) => {
    const { look } = await setup({ unit })
    await expect(look(name)).rejects.toMatchObject({
      ...{ code: 'WINDOW_UNKNOWN', message: `The archive services has no window "${name}".` },
      hint: expect.stringContaining(hint) as string,
    })
  })

  it.each([
    ['2026-04-01', 'is not over before 2026-04-01T22:00:00.000Z', '2026-04-02T00:00:00.000Z on'],
    [
      '2026-02-27',
      'begins with 2026-03-01',
      'longhaul archive --archive services --from 2026-02-27',
    ],
  ])('is expected now on %s', async (name, message, hint) => {
    const { look } = await setup()
    await expect(look(name)).rejects.toMatchObject({
      ...{ code: 'WINDOW_UNKNOWN', message: expect.stringContaining(message) as string },
      hint: expect.stringContaining(hint) as string,
    })
  })

  it('is of an archive that nobody knows', async () => {
    const { look } = await setup()
    await expect(look('2026-03-29', 'others')).rejects.toMatchObject({
      ...{ code: 'ARCHIVE_UNKNOWN', hint: 'Known ones: services.' },
    })
  })
})

describe('an archived window whose manifest', () => {
  const corrupt = async (
    change: (made: Awaited<ReturnType<typeof setup>>, key: string) => void | Promise<void>,
  ) => {
    const made = await setup()
    const window = await made.archived('2026-03-29', 1, 7)
    await change(made, manifestKey('p/', window))
    const failure = expect(made.look('2026-03-29')).rejects
    await failure.toMatchObject({ code: 'ARCHIVE_CORRUPT' })
    expect(made.linked).toEqual([])
    return made.look('2026-03-29').catch((thrown: unknown) => (thrown as Error).message)
  }

  it('is not there is corrupt', async () => {
    const message = await corrupt(({ objects }, key) => void objects.delete(key))
    expect(message).toMatch(/^The manifest p\/archive\/.* is not there, though its window is arch/)
  })

  it('was altered is corrupt', async () => {
    const message = await corrupt(({ objects }, key) => {
      objects.set(key, objects.get(key)!.replace('"rows":7', '"rows":8'))
    })
    expect(message).toContain('is not as it was written')
  })

  it('is that of another window is corrupt', async () => {
    const message = await corrupt(async ({ objects, archived }, key) => {
      const other = await archived('2026-03-28', 1, 7)
      objects.set(key, objects.get(manifestKey('p/', other))!)
    })
    expect(message).toContain('is that of another window')
  })

  it('names what is not of the archive opens nothing', async () => {
    const message = await corrupt(async ({ objects, seal, plan }, key) => {
      objects.set(key, seal(await plan('2026-03-29'), 7, 'p/exports/somebody/1/else.json'))
    })
    expect(message).toContain('which is not below p/archive/services/')
  })
})
