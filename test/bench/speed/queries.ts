import type { DatasetQuery } from '../../../src/datasets/dataset.ts'
import { services } from '../../../src/datasets/services.ts'
import { everything } from '../bench-stack.ts'
import type { Workload } from './workloads.ts'

/** The statements of the product for all of a workload. */
export const productQueries = ({ content }: Workload): readonly DatasetQuery[] =>
  services.queries({
    from: everything.time_from,
    to: everything.time_to,
    events: 'any',
    state: 'any',
    content,
  })

/** A statement with its values in their places: COPY takes none. */
export const withValues = ({ text, values }: DatasetQuery): string =>
  text.replace(/\$(\d+)/g, (_, number) => `'${values[Number(number) - 1] ?? ''}'`)

/**
 * The fastest statements known for a workload, for `copy (…) to stdout`; never slower than the product's
 * own. Ids, which are short, cost least in rows of ten thousand.
 */
export const fastestCopies = (workload: Workload): readonly string[] =>
  productQueries(workload).map((query) => {
    const text = withValues(query)
    if (workload.content) return text
    return `select string_agg(element, E',\\n' order by n)
      from (select element, row_number() over () as n from (${text}) elements) numbered
      group by n / 10000 order by n / 10000`
  })
