import { Gauge } from 'prom-client'
import type { RowSource } from '../export/ports.ts'
import type { Registry } from './registry.ts'

/**
 * Tells how many snapshots are open, and for how long the oldest has been. As long as a snapshot is open,
 * a primary cannot vacuum away what it still sees, and a standby holds back replay or cancels it.
 */
export function measuredSource(source: RowSource, registry: Registry): RowSource {
  /** When each that is open was asked for, ms of the monotonic clock. */
  const open = new Set<{ readonly sinceMs: number }>()
  new Gauge({
    name: 'longhaul_snapshots',
    help: 'Snapshots of the source database that this process holds open.',
    registers: [registry],
    collect() {
      this.set(open.size)
    },
  })
  new Gauge({
    name: 'longhaul_snapshot_age_seconds',
    help: 'Age of the oldest snapshot that this process holds open; 0 without one.',
    registers: [registry],
    collect() {
      const nowMs = performance.now()
      this.set(Math.max(0, ...[...open].map(({ sinceMs }) => nowMs - sinceMs)) / 1000)
    },
  })

  return {
    async open(options) {
      const entry = { sinceMs: performance.now() }
      const snapshot = await source.open(options)
      open.add(entry)
      return {
        at: snapshot.at,
        standby: snapshot.standby,
        estimate: (queries) => snapshot.estimate(queries),
        read: (queries, readOptions) => snapshot.read(queries, readOptions),
        close: () => snapshot.close().finally(() => open.delete(entry)),
      }
    },
  }
}
