import { Registry } from 'prom-client'

export type { Registry } from 'prom-client'

/** Holds what one process measures, and writes it in the text format of Prometheus. */
export const createRegistry = (): Registry => new Registry()
