import type { Statement } from '../datasets/dataset.ts'
import type { Session } from './session.ts'

/** What of a node of a plan is looked at. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Plan Rows': number
  readonly 'Total Cost': number
  readonly 'Relation Name'?: string
  /** With `verbose`. */
  readonly Schema?: string
  readonly 'Index Name'?: string
  readonly Plans?: readonly PlanNode[]
}

/** How the planner would run a statement; it is not run. */
export async function explain(
  session: Pick<Session, 'ask'>,
  { text, values }: Statement,
  options: '' | 'verbose' = '',
): Promise<PlanNode | undefined> {
  const list = ['format json', ...(options === '' ? [] : [options])].join(', ')
  const [row] = await session.ask<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>({
    text: `explain (${list}) ${text}`,
    values,
  })
  return row?.['QUERY PLAN'][0].Plan
}

/** A node and all below it. */
export const nodesOf = (node: PlanNode): readonly PlanNode[] => [
  node,
  ...(node.Plans ?? []).flatMap(nodesOf),
]
