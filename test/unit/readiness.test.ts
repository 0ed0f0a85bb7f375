import { describe, expect, it, vi } from 'vitest'
import { createReadiness, type Probe } from '../../src/runtime/readiness.ts'

const silent: Probe = () => new Promise(() => undefined)
const fine: Probe = () => Promise.resolve()

function setup(probes?: Readonly<Record<string, Probe>>) {
  const changes: string[] = []
  const readiness = createReadiness({
    ...{ timeoutMs: 30, restMs: 10 },
    onChange: (part, state, error) => {
      changes.push(`${part} ${state}${error instanceof Error ? `: ${error.message}` : ''}`)
    },
  })
  if (probes !== undefined) readiness.needs(probes)
  return { readiness, changes }
}

describe('readiness', () => {
  it('is nothing before it is known what is needed', async () => {
    expect(await setup().readiness.look()).toBeUndefined()
  })

  it('names each part, also one that fails or is silent', async () => {
    const { readiness, changes } = setup({
      ...{ fine, silent },
      broken: () => Promise.reject(new Error('away')),
      thrown: () => {
        throw new Error('a bug')
      },
    })
    expect(await readiness.look()).toEqual({
      ...{ fine: 'ok', silent: 'timed out', broken: 'failed', thrown: 'failed' },
    })
    expect(changes).toContain('broken failed: away')
    expect(changes).toHaveLength(3)
  })

  it('asks once for many who want to know, and again after a rest', async () => {
    const probe = vi.fn(fine)
    const { readiness } = setup({ probe })
    await Promise.all(Array.from({ length: 50 }, () => readiness.look()))
    await readiness.look()
    expect(probe).toHaveBeenCalledTimes(1)
    await vi.waitFor(async () => {
      await readiness.look()
      expect(probe).toHaveBeenCalledTimes(2)
    })
  })

  it('tells of a change once', async () => {
    let away = true
    const probe = vi.fn(() => (away ? Promise.reject(new Error('away')) : Promise.resolve()))
    const { readiness, changes } = setup({ part: probe })
    const looks = (count: number) =>
      vi.waitFor(async () => {
        await readiness.look()
        expect(probe.mock.calls.length).toBeGreaterThanOrEqual(count)
      })
    await looks(3)
    away = false
    await looks(probe.mock.calls.length + 2)
    expect(changes).toEqual(['part failed: away', 'part ok'])
  })

  it('tells besides what is watched, also where that fails or is silent', async () => {
    const { readiness } = setup({ fine })
    expect(await readiness.notices()).toBeUndefined()
    readiness.watches({
      archives: () => Promise.resolve({ status: 'alarm', message: 'one failed' }),
      broken: () => Promise.reject(new Error('away')),
      silent: () => new Promise(() => undefined),
    })
    expect(await readiness.notices()).toEqual({
      archives: { status: 'alarm', message: 'one failed' },
      ...{ broken: { status: 'unknown' }, silent: { status: 'unknown' } },
    })
    expect(await readiness.look()).toEqual({ fine: 'ok' })
  })
})
