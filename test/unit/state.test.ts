import { describe, expect, it } from 'vitest'
import { exportStates } from '../../src/export/model.ts'
import { isFinished, transitions } from '../../src/export/state.ts'

describe('the life of an export', () => {
  it('allows these changes and no others', () => {
    const arrows = Object.values(transitions).flatMap(({ from, to }) =>
      from.map((state) => `${state} → ${to}`),
    )
    expect([...new Set(arrows)].sort()).toEqual([
      'completed → expired',
      'queued → canceled',
      'queued → running',
      'running → canceled',
      'running → completed',
      'running → failed',
      'running → queued',
      'running → running',
    ])
  })

  it('is finished where no attempt can follow', () => {
    expect(exportStates.filter(isFinished)).toEqual(['completed', 'failed', 'canceled', 'expired'])
    const claimable: readonly string[] = transitions.claim.from
    for (const state of exportStates) expect(isFinished(state)).toBe(!claimable.includes(state))
  })
})
