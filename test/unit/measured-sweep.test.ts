import { expect, it } from 'vitest'
import { measuredSweep } from '../../src/metrics/measured-sweep.ts'
import { createRegistry } from '../../src/metrics/registry.ts'
import type { Sweep, SweepReport } from '../../src/retention/sweep.ts'
import { metricValues } from '../support/metric-values.ts'

const report: SweepReport = { expired: 1, objects: 2, uploads: 3, unknown: 4, failed: 0 }
const failure = new Error('denied')

function setup(sweep: Sweep) {
  const registry = createRegistry()
  const options = { signal: new AbortController().signal }
  const measured = measuredSweep(sweep, registry)
  const look = async () => metricValues(await registry.metrics())
  return { sweepNow: () => measured(options), look }
}

it('adds up what sweeps did, and keeps what the last one saw', async () => {
  const beganSeconds = Date.now() / 1000
  const { sweepNow, look } = setup(() => Promise.resolve(report))
  expect(await sweepNow()).toBe(report)
  await sweepNow()
  const { longhaul_sweep_last_done_timestamp_seconds: lastDone, ...counts } = await look()
  expect(counts).toEqual({
    'longhaul_sweeps_total{outcome="done"}': 2,
    'longhaul_sweeps_total{outcome="failed"}': 0,
    'longhaul_sweep_removed_total{kind="artifact"}': 2,
    'longhaul_sweep_removed_total{kind="object"}': 4,
    'longhaul_sweep_removed_total{kind="upload"}': 6,
    longhaul_sweep_failures_total: 0,
    longhaul_sweep_unknown_entries: 4,
  })
  expect(lastDone).toBeGreaterThanOrEqual(beganSeconds)
})

it('counts a sweep that could not remove everything as failed, with what it removed', async () => {
  const { sweepNow, look } = setup(() => Promise.resolve({ ...report, failed: 5, failure }))
  await sweepNow()
  expect(await look()).toMatchObject({
    'longhaul_sweeps_total{outcome="done"}': 0,
    'longhaul_sweeps_total{outcome="failed"}': 1,
    'longhaul_sweep_removed_total{kind="upload"}': 3,
    longhaul_sweep_failures_total: 5,
    longhaul_sweep_last_done_timestamp_seconds: 0,
  })
})

it('counts a sweep that threw as failed, and throws', async () => {
  const { sweepNow, look } = setup(() => Promise.reject(failure))
  await expect(sweepNow()).rejects.toBe(failure)
  expect(await look()).toMatchObject({ 'longhaul_sweeps_total{outcome="failed"}': 1 })
})
