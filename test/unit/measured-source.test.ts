import { expect, it, vi } from 'vitest'
import type { RowSource, Snapshot } from '../../src/export/ports.ts'
import { measuredSource } from '../../src/metrics/measured-source.ts'
import { createRegistry } from '../../src/metrics/registry.ts'
import { blockOf } from '../support/row-blocks.ts'
import { metricValues } from '../support/metric-values.ts'

const { signal } = new AbortController()

function setup(open: RowSource['open']) {
  const registry = createRegistry()
  const source = measuredSource({ open }, registry)
  const look = async () => metricValues(await registry.metrics())
  return { source, look }
}

const snapshot = (): Snapshot => ({
  at: new Date(0),
  estimate: () => Promise.resolve(7),
  read: async function* () {
    yield await Promise.resolve(blockOf(['1']))
  },
  close: () => Promise.resolve(),
})

it('tells how many snapshots are open, and how old the oldest is', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const { source, look } = setup(() => Promise.resolve(snapshot()))
    expect(await look()).toEqual({ longhaul_snapshots: 0, longhaul_snapshot_age_seconds: 0 })
    const first = await source.open({ signal })
    vi.advanceTimersByTime(60_000)
    const second = await source.open({ signal })
    vi.advanceTimersByTime(5000)
    expect(await look()).toEqual({ longhaul_snapshots: 2, longhaul_snapshot_age_seconds: 65 })
    await first.close()
    await first.close()
    expect(await look()).toEqual({ longhaul_snapshots: 1, longhaul_snapshot_age_seconds: 5 })
    await second.close()
    expect(await look()).toEqual({ longhaul_snapshots: 0, longhaul_snapshot_age_seconds: 0 })
  } finally {
    vi.useRealTimers()
  }
})

it('hands everything through', async () => {
  const { source } = setup(() => Promise.resolve(snapshot()))
  const opened = await source.open({ signal })
  expect(opened.at).toEqual(new Date(0))
  expect(await opened.estimate([])).toBe(7)
  const blocks: unknown[] = []
  for await (const block of opened.read([], { separator: ',\n' })) blocks.push(block)
  expect(blocks).toEqual([blockOf(['1'])])
})

it('counts none that could not be opened', async () => {
  const { source, look } = setup(() => Promise.reject(new Error('away')))
  await expect(source.open({ signal })).rejects.toThrow('away')
  expect(await look()).toMatchObject({ longhaul_snapshots: 0 })
})
