import { Gauge } from 'prom-client'
import type { ExportRecords } from '../export/ports.ts'
import { unfinishedStates } from '../export/model.ts'
import { rested } from '../runtime/rested.ts'
import type { Registry } from './registry.ts'

/** Asked no more often, however many look, ms. */
const restMs = 1000

/**
 * Tells how many exports wait and run, and how long the oldest has waited, by the control database. Every
 * process tells the same: take the maximum, not the sum. Without an answer there are no values.
 */
export function measureUnfinished(
  records: Pick<ExportRecords, 'countUnfinished'>,
  registry: Registry,
  { datasets }: { readonly datasets: readonly string[] },
): void {
  const look = rested(() => records.countUnfinished(), restMs)
  new Gauge({
    name: 'longhaul_exports',
    help: 'Exports that are queued, held back (their key runs as many as it may) or running, in the control database.',
    labelNames: ['dataset', 'state'],
    registers: [registry],
    async collect() {
      this.reset()
      const counts = await look().catch(() => undefined)
      if (counts === undefined) return
      for (const dataset of datasets) {
        for (const state of unfinishedStates) this.set({ dataset, state }, 0)
      }
      for (const { dataset, state, count } of counts) this.set({ dataset, state }, count)
    },
  })
  new Gauge({
    name: 'longhaul_oldest_queued_seconds',
    help: 'For how long the oldest export that is queued, and not held back, has been there; 0 without one.',
    labelNames: ['dataset'],
    registers: [registry],
    async collect() {
      this.reset()
      const counts = await look().catch(() => undefined)
      if (counts === undefined) return
      for (const dataset of datasets) this.set({ dataset }, 0)
      for (const { dataset, state, oldestSeconds } of counts) {
        if (state === 'queued') this.set({ dataset }, oldestSeconds)
      }
    },
  })
}
