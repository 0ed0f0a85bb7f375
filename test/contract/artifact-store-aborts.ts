import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { CanceledError } from '../../src/errors.ts'
import type { ArtifactStore } from '../../src/export/ports.ts'
import { MiB } from '../../src/runtime/units.ts'
import { chunksOf, patternBytes } from '../support/chunks.ts'
import { aborted } from '../support/deferred.ts'

export interface AbortDeps {
  readonly store: ArtifactStore
  readonly remaining: (prefix: string) => Promise<readonly string[]>
}

const reason = new CanceledError('x')
const endsWithinMs = 2000
const block = patternBytes(MiB)

/** Never ends by itself. */
async function* endless(onChunk: (count: number) => void) {
  for (let count = 1; ; count++) {
    onChunk(count)
    await setImmediate()
    yield block
  }
}

/** What an abort in mid-upload does: within two seconds it is over, and nothing is left. */
export function describeAborts(deps: () => AbortDeps): void {
  describe('an abort', () => {
    /** Puts a source that aborts by itself; measures from the abort to the rejection. */
    async function expectAborted(
      key: string,
      source: (abort: () => void, signal: AbortSignal) => AsyncIterable<Buffer>,
    ): Promise<void> {
      const { store, remaining } = deps()
      const controller = new AbortController()
      let abortedAt = Infinity
      const abort = () => {
        abortedAt = performance.now()
        controller.abort(reason)
      }
      const put = store.put(`aborts/${key}`, source(abort, controller.signal), {
        contentType: 'application/json',
        signal: controller.signal,
      })
      await expect(put).rejects.toBe(reason)
      expect(performance.now() - abortedAt).toBeLessThan(endsWithinMs)
      expect(await remaining(`aborts/${key}`)).toEqual([])
    }

    it('before the first byte ends the put', () =>
      expectAborted('first', (abort) =>
        endless((count) => {
          if (count === 1) abort()
        }),
      ))

    it('while the source runs ends the put', () =>
      expectAborted('running', (abort) =>
        endless((count) => {
          if (count === 30) abort()
        }),
      ))

    it('while the source waits, and hears it, ends the put', () =>
      expectAborted('waiting', async function* (abort, signal) {
        yield* chunksOf(patternBytes(20 * MiB))
        setTimeout(abort, 50)
        await aborted(signal)
      }))

    it(
      'while the source waits, deaf to it, ends the put',
      () =>
        expectAborted('deaf', async function* (abort) {
          yield* chunksOf(patternBytes(20 * MiB))
          setTimeout(abort, 50)
          await new Promise(() => undefined)
        }),
      5000,
    )

    it('after the last byte ends the put', () =>
      expectAborted('last', async function* (abort) {
        yield* chunksOf(patternBytes(20 * MiB))
        abort()
      }))

    it('before the start reads nothing', async () => {
      const { store, remaining } = deps()
      let read = 0
      const source = endless(() => read++)
      const signal = AbortSignal.abort(reason)
      const put = store.put('aborts/never', source, { contentType: 'application/json', signal })
      await expect(put).rejects.toBe(reason)
      expect(read).toBeLessThanOrEqual(1)
      expect(await remaining('aborts/never')).toEqual([])
    })

    it('closes the source', async () => {
      const { store } = deps()
      const controller = new AbortController()
      let closed = false
      async function* closing() {
        try {
          yield* endless((count) => {
            if (count === 12) controller.abort(reason)
          })
        } finally {
          closed = true
        }
      }
      const { signal } = controller
      const put = store.put('aborts/c', closing(), { contentType: 'application/json', signal })
      await expect(put).rejects.toBe(reason)
      expect(closed).toBe(true)
    })
  })
}
