import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { abortAfter } from '../../src/runtime/abort.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Nothing but what listens to it knows of the signal afterwards. */
const listenTo = (signal: AbortSignal, heard: unknown[]): void =>
  signal.addEventListener('abort', () => heard.push(signal.reason))

it('ends after its time, also where garbage is collected meanwhile', async () => {
  const heard: unknown[] = []
  const outer = new AbortController()
  listenTo(abortAfter(50), heard)
  listenTo(abortAfter(50, outer.signal), heard)
  await sleep(0)
  collectGarbage()
  await expect.poll(() => heard).toHaveLength(2)
  for (const reason of heard) {
    expect(reason).toMatchObject({ name: 'TimeoutError', message: 'Nothing came of it in 50 ms' })
  }
})

it('ends before, with the signal that it was given', () => {
  const outer = new AbortController()
  const limit = abortAfter(60_000, outer.signal)
  expect(limit.aborted).toBe(false)
  outer.abort(new TypeError('for a reason'))
  expect(limit.reason).toBe(outer.signal.reason)
  expect(abortAfter(60_000, AbortSignal.abort('before')).reason).toBe('before')
})
