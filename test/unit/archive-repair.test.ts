import { describe, expect, it } from 'vitest'
import type { LedgerWindow } from '../../src/archive/model.ts'
import { planRepair, repairWindows } from '../../src/archive/repair-windows.ts'
import { exportsOf, requestWindow, settleWindow } from '../../src/archive/window-steps.ts'
import { objectKey, supersededKey } from '../../src/export/object-key.ts'
import { sha256 } from '../support/chunks.ts'
import { newArtifact } from '../support/new-export.ts'
import { createRetentionWorld, worldNow } from '../support/retention-world.ts'
import { windowDeps } from '../support/window-deps.ts'

const keyPrefix = 'p/'
const { signal } = new AbortController()
const day = '2026-03-25'

/** Days that are archived, in memory, each with a few ids. */
async function setup() {
  const world = await createRetentionWorld(2, { compression: 'none' })
  const { ledger, records, archive, put, keysOf, windowNamed } = world
  const deps = windowDeps(world)
  const lines = (ids: readonly string[]) => ids.map((id) => `${JSON.stringify(id)}\n`).join('')
  /** What was archived of the day, as it may have been found. */
  const [first] = keysOf(`dt=${day}/`)
  await put(first!, lines(['aaa', 'bbb']))

  /** Runs the export of the next generation, which finds these ids. */
  async function exported(ids: readonly string[]): Promise<LedgerWindow> {
    const window = await windowNamed(day)
    const request = { ...window.request, format: 'ndjson', compression: 'none' } as const
    const key = (await planRepair(ledger, { window, request }))!
    const { record } = await records.create({
      ...(await records.get(window.exportId!)),
      ...{ id: crypto.randomUUID(), fingerprint: 'f' },
      archive: { name: archive.name, date: window.date, generation: key.generation },
    })
    await ledger.begin(key, record.id)
    const claim = (await records.claim(record.id, { leaseMs: 60_000 }))!
    const at = objectKey(keyPrefix, claim)
    const body = lines(ids)
    await put(at, body)
    const artifact = newArtifact({
      key: at,
      bytes: body.length,
      rows: ids.length,
      sha256: sha256(Buffer.from(body)),
    })
    await records.complete(claim, artifact, {
      ...{ finishedAt: worldNow, snapshotAt: worldNow, expiresAt: undefined },
    })
    return (await ledger.get(key))!
  }
  const ended = async (window: LedgerWindow) => (await exportsOf(deps, [window]))[0]!
  const settle = async (one: Awaited<ReturnType<typeof ended>>) =>
    settleWindow(deps, archive.calendar, one, signal)
  return { ...world, deps, first: first!, exported, ended, settle, signal }
}

describe('a generation that is to take the place of the one before', () => {
  it('does so when it has all of its records', async () => {
    const { exported, ended, settle, keysOf, first, ledger, records } = await setup()
    const window = await exported(['aaa', 'bbb', 'ccc'])
    expect(await settle(await ended(window))).toBe('archived')
    expect(keysOf(`services/dt=${day}/`)).toEqual([expect.stringContaining('_g2_')])
    expect(keysOf('_superseded/')).toEqual([supersededKey(keyPrefix, first)])
    expect(keysOf('/exports/')).toEqual([])
    expect(await ledger.get(window)).toMatchObject({ state: 'archived' })
    const record = await records.get(window.exportId!)
    expect(record.artifact!.key).toBe(keysOf(`services/dt=${day}/`)[0])
  })

  it('does not when it lacks one, also for whoever settles it with an older look', async () => {
    const { exported, ended, settle, keysOf, first, ledger, records, artifacts } = await setup()
    const window = await exported(['aaa', 'ccc', 'ddd'])
    const [look, olderLook] = [await ended(window), await ended(window)]
    const before = artifacts.objects.get(first)
    expect(await settle(look)).toBe('failed')
    expect(await settle(olderLook)).toBeUndefined()
    expect(keysOf(`services/dt=${day}/`)).toEqual([first])
    expect(artifacts.objects.get(first)).toEqual(before)
    expect(keysOf('_superseded/')).toEqual([])
    expect(keysOf('exports/')).toEqual([])
    expect((await records.get(window.exportId!)).state).toBe('expired')
    const failed = await ledger.get(window)
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'ARCHIVE_NOT_REPLACED' } })
    expect(failed).not.toHaveProperty('retryAt')
    expect(failed!.error!.message).toBe(
      '1 record of generation 1 is not in the source any more: generation 2 is not kept.',
    )
  })

  it.each<[string, (made: Awaited<ReturnType<typeof setup>>) => Promise<unknown>, RegExp]>([
    [
      'the manifest before it is not there',
      ({ artifacts, manifestOf }) => artifacts.remove(manifestOf(day)),
      /^The manifest of generation 1 is not there: generation 2 is not kept/,
    ],
    [
      'the artifact before it is not there',
      ({ artifacts, first }) => artifacts.remove(first),
      /^It cannot be compared with generation 1: The manifest .* names .*, which is not there/,
    ],
    [
      'the artifact before it has other bytes',
      ({ put, first, artifacts }) => put(first, '{'.repeat(artifacts.objects.get(first)!.length)),
      /cannot be compared with generation 1: The artifact .* cannot be read as it was written/,
    ],
  ])('does not when %s', async (_title, damage, message) => {
    const made = await setup()
    const window = await made.exported(['aaa', 'bbb', 'ccc'])
    await damage(made)
    const before = made.keysOf('archive/')
    expect(await made.settle(await made.ended(window))).toBe('failed')
    expect(made.keysOf('archive/')).toEqual(before)
    expect(made.keysOf('exports/')).toEqual([])
    expect((await made.ledger.get(window))!.error!.message).toMatch(message)
  })

  it('gives the one before back where that was moved out of its partition by somebody who died', async () => {
    const { exported, ended, settle, keysOf, first, artifacts } = await setup()
    await artifacts.copy(first, supersededKey(keyPrefix, first))
    await artifacts.remove(first)
    const window = await exported(['bbb', 'ccc'])
    expect(await settle(await ended(window))).toBe('failed')
    expect(keysOf(`services/dt=${day}/`)).toEqual([first])
    expect(keysOf('_superseded/')).toEqual([])
  })

  it('fails, and is tried again, when it is gone itself', async () => {
    const { exported, ended, settle, keysOf, first, artifacts, ledger } = await setup()
    const window = await exported(['aaa', 'bbb', 'ccc'])
    const look = await ended(window)
    await artifacts.remove(keysOf('exports/')[0]!)
    expect(await settle(look)).toBe('failed')
    expect(keysOf(`services/dt=${day}/`)).toEqual([first])
    expect(await ledger.get(window)).toMatchObject({
      ...{ state: 'failed', error: { code: 'ARCHIVE_CORRUPT' } },
      retryAt: expect.any(Date) as Date,
    })
  })

  it('is requested once a standby has replayed the end of the window and its settling time', async () => {
    const { deps, definition, windowNamed, ledger } = await setup()
    const window = await windowNamed(day)
    await planRepair(ledger, { window, request: window.request })
    const planned = (await ledger.get({ ...window, generation: 2 }))!
    const schedule = { ...definition, settleMs: 3_600_000 }
    const ask = (replayedAt: Date) =>
      requestWindow(
        { ...deps, lookAtReplay: () => Promise.resolve({ replayedAt }) },
        schedule,
        planned,
        signal,
      )
    const settled = window.to.getTime() + schedule.settleMs
    expect(await ask(new Date(settled - 1))).toBeUndefined()
    expect(await ledger.get(planned)).toMatchObject({ state: 'planned', tries: 0 })
    expect(await ask(new Date(settled))).toBe('requested')
    expect(await ledger.get(planned)).toMatchObject({ state: 'running', tries: 1 })
  })

  it('is not asked for where the window was deleted meanwhile', async () => {
    const { ledger, deps, archive, windowNamed } = await setup()
    const window = await windowNamed(day)
    await ledger.markDeleted(window, { at: worldNow, reason: 'by policy' })
    const repair = { window, request: window.request }
    expect(await planRepair(ledger, repair)).toBeUndefined()
    const told: unknown[] = []
    await repairWindows(deps, archive, [repair], { signal, onWindow: (each) => told.push(each) })
    expect(told).toEqual([])
  })
})
