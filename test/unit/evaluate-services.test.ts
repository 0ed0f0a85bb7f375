import { describe, expect, it } from 'vitest'
import { evaluateServices, type ServicesFilter } from '../support/evaluate-services.ts'
import { buildService, type ServiceRow } from '../support/reference-rows.ts'

const clock = (hours: string): string => `2014-07-22T${hours}.000000Z`

const wholeDay: ServicesFilter = {
  from: clock('00:00:00'),
  to: '2014-07-23T00:00:00.000000Z',
  events: 'any',
  state: 'any',
  content: false,
}

const select = (services: readonly ServiceRow[], filter: Partial<ServicesFilter> = {}) =>
  evaluateServices({ services, states: [], tasks: [] }, { ...wholeDay, ...filter })

describe('which services are selected', () => {
  const spans: Readonly<Record<string, readonly [number, number?]>> = {
    S1: [13, 19],
    S2: [14],
    S3: [10, 15],
    S4: [13, 14],
    S5: [10],
    S6: [10, 19],
    S7: [12],
    S8: [18],
    S9: [19],
  }
  const services = Object.entries(spans).map(([service_id, [start, end]]) =>
    buildService({
      service_id,
      started_at: clock(`${start}:00:00`),
      completed_at: end === undefined ? null : clock(`${end}:00:00`),
    }),
  )
  const range = { from: clock('12:00:00'), to: clock('18:00:00') }

  it.each([
    ['any', 'any', ['S7', 'S1', 'S4', 'S2', 'S3']],
    ['any', 'active', ['S7', 'S2']],
    ['any', 'inactive', ['S1', 'S4', 'S3']],
    ['started', 'any', ['S7', 'S1', 'S4', 'S2']],
    ['started', 'active', ['S7', 'S2']],
    ['started', 'inactive', ['S1', 'S4']],
    ['completed', 'any', ['S4', 'S3']],
    ['completed', 'active', []],
    ['completed', 'inactive', ['S4', 'S3']],
  ] as const)('selects by %s event and %s state', (events, state, expected) => {
    expect(select(services, { ...range, events, state })).toEqual(expected)
  })

  it('tells times apart that differ by a microsecond', () => {
    const services = ['11:59:59.999999', '12:00:00.000000', '12:00:00.000001'].map((time) =>
      buildService({ service_id: time, started_at: `2014-07-22T${time}Z` }),
    )
    const filter = { from: clock('12:00:00'), to: '2014-07-22T12:00:00.000001Z' }
    expect(select(services, filter)).toEqual(['12:00:00.000000'])
  })

  it('orders equal times by the bytes of the id', () => {
    // by UTF-16 units the emoji would come before the fullwidth letter, by locale é next to e
    const ids = ['', 'B', 'a', 'a-1', 'a1', 'b', 'é', '\uff21', '😀']
    const services = ids.toReversed().map((service_id) => buildService({ service_id }))
    expect(select(services)).toEqual(ids)
  })

  it('never fails where only ids are asked for', () => {
    const services = [buildService({ completed_at: 'infinity', extensions: '[]' })]
    expect(select(services)).toEqual(['S'])
  })
})
