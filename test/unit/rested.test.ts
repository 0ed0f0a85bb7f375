import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { rested } from '../../src/runtime/rested.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('does the work once for all who ask meanwhile, or while it rests', async () => {
  let done = 0
  const look = rested(() => Promise.resolve(++done), 2000)
  expect(await Promise.all([look(), look()])).toEqual([1, 1])
  vi.advanceTimersByTime(1999)
  expect(await look()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(await look()).toBe(2)
})

it('rests after a failure likewise, or not at all', async () => {
  let done = 0
  const fail = () => Promise.reject(new Error(`failure ${++done}`))
  const look = rested(fail, 2000)
  await expect(look()).rejects.toThrow('failure 1')
  await expect(look()).rejects.toThrow('failure 1')
  vi.advanceTimersByTime(2000)
  await expect(look()).rejects.toThrow('failure 2')

  const retry = rested(fail, 2000, { failureMs: 0 })
  await Promise.all([retry(), retry()].map((each) => expect(each).rejects.toThrow('failure 3')))
  await expect(retry()).rejects.toThrow('failure 4')
})
