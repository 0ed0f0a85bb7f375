import { describe, expect, it } from 'vitest'
import { digestOf, exportTag, findHeldTag } from '../../src/http/export-tag.ts'
import { viewExport } from '../../src/http/export-view.ts'
import type { ExportRecord } from '../../src/export/model.ts'
import { newArtifact, newRecord } from '../support/new-export.ts'

const now = new Date('2026-01-02T04:00:00.000Z')
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000)
const linkUntil = (expiresAt: Date) => ({ url: 'https://store/object?signed', expiresAt })

const queued = newRecord()
const running: ExportRecord = { ...queued, state: 'running', attempt: 1 }
const completed: ExportRecord = { ...running, state: 'completed', artifact: newArtifact() }
const digest = (record: ExportRecord) => digestOf(viewExport(record))

describe('the tag of an export', () => {
  it('changes with what is shown, and with nothing else', () => {
    const tags = [
      queued,
      running,
      { ...running, attempt: 2 },
      { ...running, progress: { rows: 1, bytes: 9 } },
      { ...running, error: { code: 'X', message: 'x', retryable: true } },
    ].map(digest)
    expect(new Set(tags).size).toBe(tags.length)
    expect(digest({ ...running, leaseUntil: now, failures: 3 })).toBe(digest(running))
    expect(exportTag(digest(running))).toMatch(/^W\/"[\w-]{22}\.0"$/)
  })

  it('is held as long as nothing has changed', () => {
    const tag = exportTag(digest(running))
    expect(findHeldTag(tag, digest(running))).toBe(tag)
    expect(findHeldTag(`"other", ${tag}`, digest(running))).toBe(tag)
    expect(findHeldTag(tag, digest({ ...running, attempt: 2 }))).toBeUndefined()
  })

  it('is held as long as the link that came with it lives for long enough', () => {
    const current = digest(completed)
    const tag = exportTag(current, linkUntil(inSeconds(1500)))
    expect(findHeldTag(tag, current, now)).toBe(tag)
    expect(findHeldTag(tag, current, inSeconds(1500))).toBe(tag)
    expect(findHeldTag(tag, current, inSeconds(1501))).toBeUndefined()
  })

  it.each([undefined, '', '*', '"x"', 'W/"x.1"', '\u0000', `W/"${'a'.repeat(22)}.9"`])(
    'is not %j',
    (header) => {
      expect(findHeldTag(header, digest(running), now)).toBeUndefined()
    },
  )
})
