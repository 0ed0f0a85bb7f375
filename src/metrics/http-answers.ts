import { Histogram } from 'prom-client'
import type { Registry } from './registry.ts'

const buckets = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

/** @returns to be told of each answer */
export function measureAnswers(
  registry: Registry,
): (answered: {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly seconds: number
}) => void {
  const duration = new Histogram({
    name: 'longhaul_http_request_duration_seconds',
    help: 'Requests and how long their answers took, the time that ?wait asked for included.',
    labelNames: ['method', 'route', 'status'],
    buckets,
    registers: [registry],
  })
  return ({ seconds, ...labels }) => duration.observe(labels, seconds)
}
