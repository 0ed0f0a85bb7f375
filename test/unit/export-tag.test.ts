import { describe, expect, it } from 'vitest'
import { exportTag, findHeldTag } from '../../src/http/export-tag.ts'
import type { ExportRecord } from '../../src/export/model.ts'
import { newArtifact, newRecord } from '../support/new-export.ts'

const now = new Date('2026-01-02T04:00:00.000Z')
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const linkUntil = (expiresAt: Date) => ({ url: 'https://store/object?signed', expiresAt })
const options = { now, leastLinkMs: 1000_000 }

const queued = newRecord()
const running: ExportRecord = { ...queued, state: 'running', attempt: 1 }
const completed: ExportRecord = { ...running, state: 'completed', artifact: newArtifact() }

describe('the tag of an export', () => {
  it('changes with what is shown, and with nothing else', () => {
    const tags = [
      queued,
      running,
      { ...running, attempt: 2 },
      { ...running, progress: { rows: 1, bytes: 9 } },
      { ...running, error: { code: 'X', message: 'x', retryable: true } },
    ].map((record) => exportTag(record))
    expect(new Set(tags).size).toBe(tags.length)
    expect(exportTag({ ...running, leaseUntil: now, failures: 3 })).toBe(exportTag(running))
    expect(exportTag(running)).toMatch(/^W\/"[\w-]{22}\.0"$/)
  })

  it('is held as long as nothing has changed', () => {
    const tag = exportTag(running)
    expect(findHeldTag(tag, running, options)).toBe(tag)
    expect(findHeldTag(`"other", ${tag}`, running, options)).toBe(tag)
    expect(findHeldTag(tag, { ...running, attempt: 2 }, options)).toBeUndefined()
  })

  it('is held as long as the link that came with it lives for long enough', () => {
    const tag = exportTag(completed, linkUntil(inSeconds(1500)))
    expect(findHeldTag(tag, completed, options)).toBe(tag)
    expect(findHeldTag(tag, completed, { ...options, now: inSeconds(500) })).toBe(tag)
    expect(findHeldTag(tag, completed, { ...options, now: inSeconds(501) })).toBeUndefined()
  })

  it('of an export without a link is held however old it is', () => {
    for (const state of ['failed', 'canceled', 'expired'] as const) {
      // the record of an expired export keeps the facts of its artifact
      const record: ExportRecord = { ...completed, state }
      const tag = exportTag(record)
      expect(findHeldTag(tag, record, { ...options, now: inSeconds(1e6) })).toBe(tag)
    }
  })

  it.each([undefined, '', '*', '"x"', 'W/"x.1"', '\u0000', `W/"${'a'.repeat(22)}.9"`])(
    'is not %j',
    (header) => {
      expect(findHeldTag(header, running, options)).toBeUndefined()
    },
  )
})
