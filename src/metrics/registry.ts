import { collectDefaultMetrics, Registry } from 'prom-client'

export type { Registry } from 'prom-client'

/** Holds what one process measures, and writes it in the text format of Prometheus. */
export const createRegistry = (): Registry => new Registry()

/** The same, with what is known of the process itself: processor time, memory, delay of its event loop. */
export function createProcessRegistry(): Registry {
  const registry = createRegistry()
  collectDefaultMetrics({ register: registry })
  return registry
}
