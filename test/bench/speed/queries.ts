import type { DatasetQuery } from '../../../src/datasets/dataset.ts'
import { services } from '../../../src/datasets/services.ts'
import { everything } from '../bench-stack.ts'
import type { Workload } from './workloads.ts'

/** A statement with its values in their places: COPY takes none. */
const withValues = ({ text, values }: DatasetQuery): string =>
  text.replace(/\$(\d+)/g, (_, number) => `'${String(values[Number(number) - 1])}'`)

/**
 * The fastest statements known for all of a workload, as one script: the product's own, in one piece, with
 * the settings that they have there. Packing rows, as the product does with ids, is no gain to psql.
 */
export const fastestCopies = ({ content }: Workload): string => {
  const selection = { events: 'any', state: 'any', content } as const
  const range = { from: everything.time_from, to: everything.time_to }
  const copies = services.queries({ ...range, ...selection }).map((query) => {
    const sort = query.mayBeSorted ? 'on' : 'off'
    return `set enable_sort = ${sort}; copy (${withValues(query)}) to stdout;`
  })
  return ['set jit = off;', 'set max_parallel_workers_per_gather = 0;', ...copies].join('\n')
}
