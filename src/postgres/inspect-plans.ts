import type { DatasetQuery } from '../datasets/dataset.ts'
import type { Asking, PlanFacts, ScanFacts } from '../doctor/ports.ts'
import { explain, nodesOf, type PlanNode } from './explain.ts'
import { setSort } from './reader.ts'
import { openSession, type Session } from './session.ts'
import { createSourceConnections } from './source-connections.ts'
import { sourceLimits } from './source-limits.ts'

/** For the case that this process is gone, ms. */
const limits = sourceLimits({ stallMs: 15_000, maxMs: 60_000 })

const sizesQuery = `
  select format('%s.%s', n.nspname, c.relname) as name, c.reltuples as rows
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where format('%s.%s', n.nspname, c.relname) = any($1::text[])`

/** Asks in a session like those of exports, as its settings make the plan. @throws SourceError */
export async function inspectPlans(
  url: string,
  queries: readonly DatasetQuery[],
  { signal }: Asking,
): Promise<readonly PlanFacts[]> {
  const connections = createSourceConnections(url)
  let session: Session | undefined
  try {
    session = await openSession(connections, { limits, signal })
    const plans: PlanNode[] = []
    for (const query of queries) {
      await setSort(session, query.mayBeSorted)
      const plan = await explain(session, query, 'verbose')
      if (plan !== undefined) plans.push(plan)
    }
    const names = plans.flatMap(nodesOf).flatMap((node) => tableOf(node) ?? [])
    const sizes = await session.ask<{ name: string; rows: number }>({
      text: sizesQuery,
      values: [[...new Set(names)]],
    })
    const sizeOf = new Map(sizes.map(({ name, rows }) => [name, Math.max(0, rows)]))
    return plans.map((plan, n) => ({
      rows: plan['Plan Rows'],
      sorts: queries[n]?.mayBeSorted === false && sortsItsRows(plan),
      scans: nodesOf(plan).flatMap((node) => scanOf(node, sizeOf)),
    }))
  } finally {
    await session?.close()
    await connections.close()
  }
}

const tableOf = ({ Schema, 'Relation Name': name }: PlanNode) =>
  Schema === undefined || name === undefined ? undefined : `${Schema}.${name}`

function scanOf(node: PlanNode, sizeOf: ReadonlyMap<string, number>): readonly ScanFacts[] {
  const table = tableOf(node)
  if (table === undefined) return []
  // of a bitmap scan it is the node below that names the index
  const index = nodesOf(node).flatMap((each) => each['Index Name'] ?? [])[0]
  const whole = node['Node Type'] === 'Seq Scan'
  if (index === undefined && !whole) return []
  return [{ table, index: whole ? undefined : index, tableRows: sizeOf.get(table) ?? 0 }]
}

/** Along the rows themselves: what is looked up for each of them may be sorted. */
function sortsItsRows(plan: PlanNode): boolean {
  for (let node: PlanNode | undefined = plan; node !== undefined; node = node.Plans?.[0]) {
    if (node['Node Type'] === 'Sort') return true
  }
  return false
}
