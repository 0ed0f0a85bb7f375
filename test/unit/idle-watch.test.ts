import { describe, expect, it } from 'vitest'
import { createIdleWatch, type WaitsFor } from '../../src/archive/idle-watch.ts'
import type { LedgerWindow } from '../../src/archive/model.ts'
import type { ExportState } from '../../src/export/model.ts'
import { newRecord } from '../support/new-export.ts'
import { newWindow } from '../support/new-window.ts'

function setup() {
  let seconds = 0
  const told: WaitsFor[] = []
  const look = createIdleWatch({ now: () => new Date(seconds * 1000) }, (waitsFor) =>
    told.push(waitsFor),
  )
  /** What a look finds at that time: windows that are planned, and exports of others. */
  const at = (time: number, states: readonly ('planned' | ExportState)[]) => {
    seconds = time
    const windows: LedgerWindow[] = []
    const exports = states.flatMap((state) => {
      const window = newWindow({ state: state === 'planned' ? 'planned' : 'running' })
      windows.push(window)
      return state === 'planned' ? [] : [{ window, record: newRecord({ state }) }]
    })
    look(windows, exports)
    return told
  }
  return at
}

describe('windows for which nothing is done', () => {
  it('are told of once, after ten seconds', () => {
    const at = setup()
    expect(at(0, ['queued', 'queued', 'planned'])).toEqual([])
    expect(at(9.9, ['queued', 'queued', 'planned'])).toEqual([])
    expect(at(10, ['queued', 'queued', 'planned'])).toEqual(['worker'])
    expect(at(30, ['queued', 'queued', 'planned'])).toEqual(['worker'])
  })

  it('are not while an export runs, or has ended', () => {
    const at = setup()
    at(0, ['queued'])
    at(9, ['queued', 'running'])
    at(18, ['queued'])
    at(27, ['queued', 'completed'])
    expect(at(36, ['queued'])).toEqual([])
    expect(at(46, ['queued'])).toEqual(['worker'])
  })

  it('are told of again once something was done', () => {
    const at = setup()
    at(0, ['queued'])
    at(10, ['queued'])
    at(11, ['running'])
    at(12, ['queued'])
    expect(at(22, ['queued'])).toEqual(['worker', 'worker'])
  })

  it('wait for the source where none could be asked for', () => {
    const at = setup()
    at(0, ['planned'])
    expect(at(10, ['planned'])).toEqual(['replay'])
  })

  it('are none where nothing is open', () => {
    const at = setup()
    at(0, [])
    expect(at(60, [])).toEqual([])
  })
})
