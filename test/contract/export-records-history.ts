import { describe, expect, it } from 'vitest'
import { EncodeError, errorFacts } from '../../src/errors.ts'
import type { ExportRecord } from '../../src/export/model.ts'
import type { ExportRecords } from '../../src/export/ports.ts'
import { newArtifact, newExport } from '../support/new-export.ts'
import { until } from '../support/until.ts'

const at = new Date('2026-01-02T04:00:00.000Z')
const error = { code: 'SOURCE_TIMEOUT', message: "it's slow", hint: 'Wait.', retryable: true }
const live = { leaseMs: 60_000 }
const dead = { leaseMs: 1 }

/** What a record tells of the attempts that came before. */
export function describeHistory(records: () => ExportRecords): void {
  const create = async () => (await records().create(newExport())).record
  const claim = async ({ id }: { id: string }, options = live) =>
    until(() => records().claim(id, options), { what: 'the claim' })
  const history = async ({ id }: { id: string }) => (await records().get(id)).history

  /** One attempt after another, each ending in another way. */
  async function manyAttempts(): Promise<ExportRecord> {
    const first = await claim(await create())
    await records().progress(first, { rows: 3, bytes: 30, ...live })
    await records().fail(first, { error, again: true, failures: 0, rows: 4, at })
    const second = await claim(first)
    await records().progress(second, { rows: 2, bytes: 20, ...live })
    await records().release(second)
    const third = await claim(first, dead)
    await records().progress(third, { rows: 1, bytes: 10, ...dead })
    return claim(first)
  }

  describe('the history', () => {
    it('tells how each attempt ended, and how far it had come', async () => {
      const fourth = await manyAttempts()
      const artifact = newArtifact({ rows: 9 })
      await records().complete(fourth, artifact, { finishedAt: at, expiresAt: at, snapshotAt: at })
      const past = await history(fourth)
      expect(past).toEqual([
        { attempt: 1, outcome: 'failed', rows: 4, error, ...times },
        { attempt: 2, outcome: 'interrupted', rows: 2, ...times },
        { attempt: 3, outcome: 'lost', rows: 1, ...times },
        { attempt: 4, outcome: 'completed', rows: 9, ...times },
      ])
      const instants = past.flatMap(({ startedAt, endedAt }) => [startedAt, endedAt])
      expect(instants).toEqual([...instants].sort((a, b) => a.getTime() - b.getTime()))
    })

    it('has the attempt by which an export failed for good', async () => {
      const running = await claim(await create())
      await records().fail(running, { error, again: false, failures: 1, rows: 0, at })
      expect(await history(running)).toEqual([
        { attempt: 1, outcome: 'failed', rows: 0, error, ...times },
      ])
    })

    it('has an error whatever its text, as far as PostgreSQL can store it', async () => {
      const running = await claim(await create())
      const facts = errorFacts(new EncodeError('no \0 and no \ud800 in "x"'))
      const failure = { error: facts, again: false, failures: 1, rows: 0, at }
      expect(await records().fail(running, failure)).toBe(true)
      expect(await history(running)).toMatchObject([{ error: facts }])
      expect(facts.message).toMatch(/^no .+ and no .+ in "x"$/)
    })

    it('has the attempt that a cancel ended, but none where none ran', async () => {
      const running = await claim(await create())
      await records().cancel(running.id, at)
      expect(await history(running)).toEqual([
        { attempt: 1, outcome: 'canceled', rows: 0, ...times },
      ])
      const queued = await create()
      await records().cancel(queued.id, at)
      expect(await history(queued)).toEqual([])
    })

    it('does not change when an attempt that was taken over says how it ended', async () => {
      const old = await claim(await create(), dead)
      await claim(old)
      const before = await history(old)
      expect(before).toMatchObject([{ attempt: 1, outcome: 'lost' }])
      await records().fail(old, { error, again: true, failures: 1, rows: 1, at })
      await records().release(old)
      expect(await history(old)).toEqual(before)
    })
  })
}

const times = { startedAt: expect.any(Date) as Date, endedAt: expect.any(Date) as Date }
