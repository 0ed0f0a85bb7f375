import { expect, it } from 'vitest'
import { gather } from '../../src/runtime/gather.ts'
import { deferred } from '../support/deferred.ts'

/** Finds each id in capitals, but for `none`, once it is let. */
function createFinder() {
  const questions: { ids: readonly string[]; answer: () => void; fail: (error: Error) => void }[] =
    []
  const findMany = async (ids: readonly string[]) => {
    const gate = deferred<undefined>()
    questions.push({ ids, answer: () => gate.resolve(undefined), fail: gate.reject })
    await gate.promise
    return new Map(ids.filter((id) => id !== 'none').map((id) => [id, id.toUpperCase()]))
  }
  return { questions, findMany }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

it('one question is for all who ask in the same turn, each id once', async () => {
  const { questions, findMany } = createFinder()
  const find = gather(findMany, { pauseMs: 60_000, atOnce: 2 })
  const answers = Promise.all(['a', 'b', 'a', 'none'].map(find))
  await turn()
  expect(questions.map(({ ids }) => ids)).toEqual([['a', 'b', 'none']])
  questions[0]!.answer()
  expect(await answers).toEqual(['A', 'B', 'A', undefined])
})

it('who asks later is not answered by a question that was asked before', async () => {
  const { questions, findMany } = createFinder()
  const find = gather(findMany, { pauseMs: 1, atOnce: 2 })
  const first = find('a')
  await turn()
  const second = find('a')
  // the first has no answer yet, and holds up nobody
  while (questions.length < 2) await turn()
  questions[1]!.answer()
  expect(await second).toBe('A')
  questions[0]!.answer()
  expect(await first).toBe('A')
})

it('while as many as may be wait for their answer, one more gathers who comes', async () => {
  const { questions, findMany } = createFinder()
  const find = gather(findMany, { pauseMs: 0, atOnce: 1 })
  const first = find('a')
  await turn()
  const later = Promise.all(['b', 'c'].map(find))
  for (let turns = 0; turns < 10; turns++) await turn()
  expect(questions.map(({ ids }) => ids)).toEqual([['a']])
  questions[0]!.answer()
  expect(await first).toBe('A')
  while (questions.length < 2) await turn()
  expect(questions[1]!.ids).toEqual(['b', 'c'])
  questions[1]!.fail(new Error('away'))
  await expect(later).rejects.toThrow('away')
  const last = find('d')
  while (questions.length < 3) await turn()
  questions[2]!.answer()
  expect(await last).toBe('D')
})

it('a question that fails does so for all who asked, and for nobody else', async () => {
  const { questions, findMany } = createFinder()
  const find = gather(findMany, { pauseMs: 0, atOnce: 2 })
  const failing = Promise.allSettled([find('a'), find('b'), find('a')])
  await turn()
  questions[0]!.fail(new Error('away'))
  for (const result of await failing) {
    expect(result).toMatchObject({ status: 'rejected', reason: { message: 'away' } })
  }
  const next = find('a')
  while (questions.length < 2) await turn()
  questions[1]!.answer()
  expect(await next).toBe('A')
})
