import { Gauge } from 'prom-client'
import type { Registry } from './registry.ts'

/** How the connections of a pool are used. */
export interface PoolUsage {
  readonly busy: number
  readonly idle: number
  /** Statements that wait for a connection. */
  readonly waiting: number
}

/** Tells how the connections to the control database are used. */
export function measurePool(usage: () => PoolUsage, registry: Registry): void {
  new Gauge({
    name: 'longhaul_control_pool',
    help: 'Connections to the control database that are busy or idle, and statements that wait for one.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { busy, idle, waiting } = usage()
      for (const [state, count] of Object.entries({ busy, idle, waiting }))
        this.set({ state }, count)
    },
  })
}
