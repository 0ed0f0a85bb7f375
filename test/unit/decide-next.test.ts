import { describe, expect, it } from 'vitest'
import { decideNext, type Ended, type History } from '../../src/client/decide-next.ts'

const limits = { maxFailures: 8, maxRestarts: 3, pauseMs: 500 }
const plain: History = { failures: 0, restarts: 0, refused: false, mayResume: true }
const ended = (kind: Ended['setback']['kind'], facts: Partial<Ended> = {}): Ended => ({
  setback: { kind, reason: 'of something' },
  newBytes: false,
  bytes: 10,
  resumed: false,
  ...facts,
})

describe('after a broken connection, a download', () => {
  it('pauses twice as long with each failure in a row, up to half a minute, then gives up', () => {
    const pauses: number[] = []
    let history = plain
    for (;;) {
      const next = decideNext(ended('broken'), history, limits)
      if (next.go !== 'on') {
        expect(next).toEqual({
          go: 'fail',
          code: 'DOWNLOAD_FAILED',
          reason: '8 times in a row without a new byte, at last because of something',
        })
        break
      }
      pauses.push(next.pauseMs)
      history = next.history
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000])
  })

  it('counts anew once a byte has come, and takes another refusal', () => {
    const before = { ...plain, failures: 7, refused: true }
    expect(decideNext(ended('broken', { newBytes: true }), before, limits)).toEqual({
      go: 'on',
      history: plain,
      pauseMs: 500,
    })
  })

  it.each([
    [100, 500],
    [7000, 7000],
    [3_600_000, 60_000],
  ])('that is to wait for %i ms waits for %i ms', (retryAfterMs, pauseMs) => {
    const busy = ended('broken', { setback: { kind: 'broken', reason: 'busy', retryAfterMs } })
    expect(decideNext(busy, plain, limits)).toMatchObject({ go: 'on', pauseMs })
  })

  it('begins from zero where ranges are not believed, unless nothing is here yet', () => {
    const before = { ...plain, mayResume: false }
    expect(decideNext(ended('broken'), before, limits)).toMatchObject({
      go: 'from-zero',
      history: { restarts: 1, failures: 1 },
      pauseMs: 500,
    })
    expect(decideNext(ended('broken', { bytes: 0 }), before, limits)).toMatchObject({ go: 'on' })
  })
})

describe('a download', () => {
  it('asks for a fresh link once, and no more before a byte has come', () => {
    const first = decideNext(ended('refused'), plain, limits)
    expect(first).toEqual({ go: 'fresh-link', history: { ...plain, refused: true } })
    const refused = { ...plain, refused: true }
    expect(decideNext(ended('refused'), refused, limits)).toMatchObject({
      go: 'fail',
      code: 'DOWNLOAD_FAILED',
      reason: 'by a fresh link, too, of something',
    })
  })

  it.each([
    ['changed', true],
    ['untrusted', false],
  ] as const)('begins from zero three times when what it got is %s', (kind, mayResume) => {
    const next = decideNext(ended(kind), { ...plain, restarts: 2 }, limits)
    expect(next).toEqual({
      go: 'from-zero',
      history: { ...plain, restarts: 3, mayResume },
      pauseMs: 0,
    })
    expect(decideNext(ended(kind), { ...plain, restarts: 3 }, limits)).toMatchObject({
      go: 'fail',
      code: 'DOWNLOAD_FAILED',
      reason: 'it had to start again 4 times, at last because of something',
    })
  })

  it('made of pieces that do not fit begins once more without ranges; of one piece, it is corrupt', () => {
    expect(decideNext(ended('mismatch', { resumed: true }), plain, limits)).toMatchObject({
      go: 'from-zero',
      history: { mayResume: false, restarts: 1 },
    })
    expect(decideNext(ended('mismatch'), plain, limits)).toEqual({
      go: 'fail',
      code: 'DOWNLOAD_CORRUPT',
      reason: 'of something',
    })
  })
})
