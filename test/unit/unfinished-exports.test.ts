import { expect, it, vi } from 'vitest'
import { createRegistry } from '../../src/metrics/registry.ts'
import { measureUnfinished } from '../../src/metrics/unfinished-exports.ts'
import { metricValues } from '../support/metric-values.ts'

const waiting = { dataset: 'services', state: 'queued', count: 7, oldestSeconds: 42 } as const

function setup(countUnfinished: Parameters<typeof measureUnfinished>[0]['countUnfinished']) {
  const registry = createRegistry()
  measureUnfinished({ countUnfinished }, registry, { datasets: ['services'] })
  return async () => metricValues(await registry.metrics())
}

it('tells what waits and for how long, and zero where there is nothing', async () => {
  const look = setup(() => Promise.resolve([waiting]))
  expect(await look()).toEqual({
    'longhaul_exports{dataset="services",state="queued"}': 7,
    'longhaul_exports{dataset="services",state="held_back"}': 0,
    'longhaul_exports{dataset="services",state="running"}': 0,
    'longhaul_oldest_queued_seconds{dataset="services"}': 42,
  })
})

it('asks once for both, and for all who look within a second', async () => {
  const count = vi.fn(() => Promise.resolve([waiting]))
  const look = setup(count)
  await Promise.all([look(), look()])
  await look()
  expect(count).toHaveBeenCalledTimes(1)
})

it('tells nothing, rather than something old, when the database does not answer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    let away = false
    const look = setup(() =>
      away ? Promise.reject(new Error('away')) : Promise.resolve([waiting]),
    )
    expect(Object.keys(await look())).toHaveLength(4)
    away = true
    await vi.advanceTimersByTimeAsync(1000)
    expect(await look()).toEqual({})
  } finally {
    vi.useRealTimers()
  }
})
