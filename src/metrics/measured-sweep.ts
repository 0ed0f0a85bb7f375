import { Counter, Gauge } from 'prom-client'
import type { Sweep } from '../retention/sweep.ts'
import type { Registry } from './registry.ts'

/**
 * Counts what the sweeps of this process did. Any worker may be the next to sweep: it takes the sum, or the
 * latest, of all of them to say whether the bucket is looked after.
 */
export function measuredSweep(sweep: Sweep, registry: Registry): Sweep {
  const registers = [registry]
  const sweeps = new Counter({
    name: 'longhaul_sweeps_total',
    help: 'Sweeps that ended: done, or failed, which includes one that could not remove everything.',
    labelNames: ['outcome'],
    registers,
  })
  const removed = new Counter({
    name: 'longhaul_sweep_removed_total',
    help: 'Artifacts that expired, and objects and open uploads that lost attempts had left.',
    labelNames: ['kind'],
    registers,
  })
  const failures = new Counter({
    name: 'longhaul_sweep_failures_total',
    help: 'Removals that failed; the next sweep tries again.',
    registers,
  })
  const unknown = new Gauge({
    name: 'longhaul_sweep_unknown_entries',
    help: 'Entries below exports/ in the last sweep that the control database does not know; they stay.',
    registers,
  })
  const lastDone = new Gauge({
    name: 'longhaul_sweep_last_done_timestamp_seconds',
    help: 'When a sweep of this process was last done, in seconds since 1970; 0 before the first.',
    registers,
  })
  for (const outcome of ['done', 'failed']) sweeps.inc({ outcome }, 0)

  return async (options) => {
    try {
      const report = await sweep(options)
      removed.inc({ kind: 'artifact' }, report.expired)
      removed.inc({ kind: 'object' }, report.objects)
      removed.inc({ kind: 'upload' }, report.uploads)
      failures.inc(report.failed)
      unknown.set(report.unknown)
      sweeps.inc({ outcome: report.failure === undefined ? 'done' : 'failed' })
      if (report.failure === undefined) lastDone.setToCurrentTime()
      return report
    } catch (error) {
      if (!options.signal.aborted) sweeps.inc({ outcome: 'failed' })
      throw error
    }
  }
}
