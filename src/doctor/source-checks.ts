import type { Dataset } from '../datasets/dataset.ts'
import type { Clock } from '../runtime/clock.ts'
import { databaseChecks } from './database-checks.ts'
import { ok, skipped } from './finding.ts'
import { judgeIndex } from './judge-index.ts'
import { judgePlans } from './judge-plans.ts'
import { judgeRole, judgeStandby, type SourceUse } from './judge-source.ts'
import { judgeStatistics, judgeTable } from './judge-table.ts'
import type { SourceInspection, TableFacts } from './ports.ts'
import type { Check } from './run-checks.ts'

const part = 'source database'
const dayMs = 24 * 3_600_000

const clockTolerance = {
  toleratedMs: 1000,
  consequence: 'without time_to a range ends now, by the clock of the server that is asked',
}

/** The source: whether all that an export reads is there, and found by an index. */
export function sourceChecks(
  inspection: SourceInspection,
  datasets: readonly Dataset[],
  use: SourceUse,
  clock: Clock,
): readonly Check[] {
  const all = datasets.flatMap(({ tables }) => tables)
  const tables = [...new Map(all.map((table) => [table.name, table])).values()]
  const indexes = datasets.flatMap((dataset) => dataset.indexes)
  const first = databaseChecks(part, inspection, clockTolerance, ({ pooled }) =>
    pooled
      ? [ok('a pooler is between, which is fine: all settings are those of transactions')]
      : [],
  )
  let known: readonly TableFacts[] | undefined
  return [
    ...first,
    {
      ...{ part, name: 'standby', needs: ['connection'] },
      look: async (asking) => judgeStandby(await inspection.standby(asking), use),
    },
    {
      ...{ part, name: 'role', needs: ['connection'] },
      look: async (asking) => judgeRole(await inspection.role(asking), use),
    },
    {
      ...{ part, name: 'tables', needs: ['connection'] },
      async look(asking) {
        known = await inspection.tables(tables, asking)
        return known.map(judgeTable)
      },
    },
    {
      ...{ part, name: 'indexes', needs: ['connection'] },
      look: async (asking) => (await inspection.indexes(indexes, asking)).map(judgeIndex),
    },
    ...datasets.map((dataset) => planCheck(inspection, dataset, clock)),
    {
      ...{ part, name: 'statistics', needs: ['connection'] },
      // one that lacks a table has statistics of the others all the same
      look: () => (known === undefined ? skipped('it needs: tables') : judgeStatistics(known)),
    },
  ]
}

/** Of a recent day that has records, if it is known: the planner knows them, too. */
const planCheck = (inspection: SourceInspection, dataset: Dataset, clock: Clock): Check => ({
  ...{ part, name: `plan of ${dataset.name}`, needs: ['tables'] },
  look: async (asking) => {
    const to = (await inspection.recentEvent(dataset.event, asking)) ?? clock.now()
    const range = { from: new Date(to.getTime() - dayMs).toISOString(), to: to.toISOString() }
    const selection = { ...range, events: 'any', state: 'any', content: true } as const
    return judgePlans(range, await inspection.plans(dataset.queries(selection), asking))
  },
})
