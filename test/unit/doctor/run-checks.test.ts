import { describe, expect, it } from 'vitest'
import { ok, problem, warning } from '../../../src/doctor/finding.ts'
import { runChecks, type Check } from '../../../src/doctor/run-checks.ts'
import { StoreError } from '../../../src/errors.ts'
import { deferred } from '../../support/deferred.ts'

const part = 'bucket'
const fine: Check['look'] = () => ok('there')
const silent: Check['look'] = () => new Promise(() => undefined)
const refused: Check['look'] = () =>
  Promise.reject(new StoreError('STORE_DENIED', 'No.', { hint: 'Ask.' }))

async function run(
  checks: readonly Check[],
  { signal = new AbortController().signal, timeoutMs = 60_000 } = {},
) {
  const findings = await runChecks(checks, { timeoutMs, signal })
  return findings.map(({ check, state, found, advice }) =>
    [check, state, found, ...(advice === undefined ? [] : [advice])].join(' | '),
  )
}

describe('checks', () => {
  it('are all run, whatever becomes of others, and told in their order', async () => {
    const checks: readonly Check[] = [
      { part, name: 'a', look: refused },
      { part, name: 'b', look: fine },
      { part: 'queue', name: 'c', look: silent },
      { part: 'queue', name: 'd', look: () => [ok('one'), warning('two', 'Do.')] },
    ]
    const found = await run(checks, { timeoutMs: 30 })
    expect(found).toEqual([
      'a | problem | No | Ask.',
      'b | ok | there',
      expect.stringMatching(/^c \| problem \| no answer within 0.03 s \| Check /),
      'd | ok | one',
      'd | warning | two | Do.',
    ])
  })

  it('are skipped when what they need has a problem, was skipped, or is of another part', async () => {
    const found = await run([
      { part, name: 'a', look: () => [ok('one'), problem('two', undefined)] },
      { part, name: 'b', needs: ['a'], look: fine },
      { part, name: 'c', needs: ['b'], look: fine },
      { part: 'queue', name: 'd', needs: ['bucket.a'], look: fine },
      { part, name: 'e', look: () => warning('hm', 'Do.') },
      { part, name: 'f', needs: ['e'], look: fine },
    ])
    expect(found.slice(2)).toEqual([
      'b | skipped | it needs: a',
      'c | skipped | it needs: b',
      'd | skipped | it needs: bucket.a',
      'e | warning | hm | Do.',
      'f | ok | there',
    ])
  })

  it('of one part are run one after another, the parts at once', async () => {
    const gate = deferred()
    const order: string[] = []
    const running = run([
      {
        ...{ part, name: 'a' },
        look: async () => {
          await gate.promise
          order.push('a')
          return ok('')
        },
      },
      {
        ...{ part, name: 'b' },
        look: () => {
          order.push('b')
          return ok('')
        },
      },
      {
        ...{ part: 'queue', name: 'c' },
        look: () => {
          order.push('c')
          gate.resolve()
          return ok('')
        },
      },
    ])
    await running
    expect(order).toEqual(['c', 'a', 'b'])
  })

  it('that were not over when it was interrupted are skipped', async () => {
    const interrupting = new AbortController()
    const found = await run(
      [
        { part, name: 'a', look: fine },
        {
          ...{ part, name: 'b' },
          look: ({ signal }) => {
            interrupting.abort()
            expect(signal.aborted).toBe(true)
            return new Promise(() => undefined)
          },
        },
        { part, name: 'c', look: fine },
      ],
      { signal: interrupting.signal },
    )
    expect(found).toEqual([
      'a | ok | there',
      'b | skipped | interrupted',
      'c | skipped | interrupted',
    ])
  })

  it('that fail by a bug say so', async () => {
    const look = () => {
      throw new TypeError('x is undefined')
    }
    expect(await run([{ part, name: 'a', look }])).toEqual([
      'a | problem | an unexpected error, TypeError: x is undefined | Please report it.',
    ])
  })
})
