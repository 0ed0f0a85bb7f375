import { describe, expect, it } from 'vitest'
import { evaluateServices, type ServicesFilter } from '../support/evaluate-services.ts'
import {
  buildService,
  buildState,
  buildTask,
  type ReferenceRows,
} from '../support/reference-rows.ts'

const clock = (hours: string): string => `2014-07-22T${hours}.000000Z`

const wholeDay: ServicesFilter = {
  from: clock('00:00:00'),
  to: '2014-07-23T00:00:00.000000Z',
  events: 'any',
  state: 'any',
  content: true,
}

/** The document of the only service. */
const documentOf = (rows: Partial<ReferenceRows>) =>
  evaluateServices({ services: [buildService()], states: [], tasks: [], ...rows }, wholeDay)[0]

const empty = { active_tasks: [], completed_tasks: [] }
const emptyService = { active_states: [], completed_states: [], ...empty }
const started = { timestamp: '2014-07-22T12:00:00.000Z' }

describe('the fields of a document', () => {
  it('leaves out what has no value, but for the four arrays', () => {
    expect(documentOf({})).toEqual({
      service_id: 'S',
      service_type: '100',
      started,
      ...emptyService,
    })
  })

  it('shows every field that has a value', () => {
    const fields = {
      customer_id: 'c',
      contact_key: '',
      est_duration: 0,
      disposition: '1',
      disposition_desc: 'done',
    }
    const services = [
      buildService({
        ...fields,
        started: '{"media_type": 2, "session_id": "s", "skill": ["x", null]}',
        completed_at: clock('12:00:01'),
        completed: '{"media_type": "web"}',
      }),
    ]
    expect(documentOf({ services })).toEqual({
      service_id: 'S',
      service_type: '100',
      ...fields,
      duration: 1000,
      started: { ...started, media_type: 2, session_id: 's', skill: ['x', null] },
      completed: { timestamp: '2014-07-22T12:00:01.000Z', media_type: 'web' },
      ...emptyService,
    })
  })

  it('leaves a null out of an event, and takes its time from the column', () => {
    const services = [
      buildService({ started: '{"media_type": null, "timestamp": "1999", "resource_id": 20}' }),
    ]
    expect(documentOf({ services })).toMatchObject({ started: { ...started, resource_id: 20 } })
    expect(documentOf({ services })).not.toHaveProperty('started.media_type')
  })

  it('shows a completion without a context, and no context without a completion', () => {
    const time = clock('12:00:00')
    const completed = [buildService({ completed_at: time, completed: null })]
    expect(documentOf({ services: completed })).toMatchObject({ completed: started, duration: 0 })
    const open = [buildService({ completed_at: null, completed: '{"media_type": 2}' })]
    expect(documentOf({ services: open })).not.toHaveProperty('completed')
  })

  it.each([
    ['12:00:00.000999', '12:00:00.001000', '12:00:00.000Z', '12:00:00.001Z', 1],
    ['12:00:00.000000', '12:00:00.999999', '12:00:00.000Z', '12:00:00.999Z', 999],
    ['12:00:01.000000', '11:59:59.999999', '12:00:01.000Z', '11:59:59.999Z', -1001],
  ])(
    'cuts %s and %s to milliseconds and subtracts what it shows',
    (start, end, from, to, duration) => {
      const day = '2014-07-22T'
      const services = [
        buildService({ started_at: `${day}${start}Z`, completed_at: `${day}${end}Z` }),
      ]
      expect(documentOf({ services })).toMatchObject({
        started: { timestamp: day + from },
        completed: { timestamp: day + to },
        duration,
      })
    },
  )
})

describe('extensions', () => {
  it('are keys of their own, with any value', () => {
    const extensions = {
      Feedback: { text: 'ok', notes: null },
      none: null,
      '': [],
      timestamp: 1,
      state_id: 2,
    }
    const services = [buildService({ extensions: JSON.stringify(extensions) })]
    expect(documentOf({ services })).toEqual({
      service_id: 'S',
      service_type: '100',
      started,
      ...emptyService,
      ...extensions,
    })
  })

  const common = [
    'est_duration',
    'duration',
    'disposition',
    'disposition_desc',
    'started',
    'completed',
  ]
  const all = (names: readonly string[]) =>
    JSON.stringify(Object.fromEntries(names.map((name) => [name, 'forged'])))

  it('of a reserved name are not shown, even where the field is absent', () => {
    const tasks = ['active_tasks', 'completed_tasks']
    const ofService = [
      'service_id',
      'service_type',
      'customer_id',
      'contact_key',
      'active_states',
      'completed_states',
    ]
    const ofState = ['state_id', 'state_type', 'previous_state_id']
    const rows = {
      services: [buildService({ extensions: all([...ofService, ...common, ...tasks]) })],
      states: [buildState('0', { extensions: all([...ofState, ...common, ...tasks]) })],
      tasks: [buildTask('0', { extensions: all(['task_id', 'task_type', ...common]) })],
    }
    expect(documentOf(rows)).toEqual({
      service_id: 'S',
      service_type: '100',
      started,
      ...emptyService,
      active_states: [{ state_id: '0', state_type: '1', started, ...empty }],
      active_tasks: [{ task_id: '0', task_type: 'call', started }],
    })
  })
})

describe('states and tasks', () => {
  it('hang where they belong, whatever their dates', () => {
    const done = { completed_at: clock('12:00:00') }
    const longAgo = { started_at: '2001-01-01T00:00:00.000000Z' }
    const rows = {
      states: [
        buildState('0', longAgo),
        buildState('1', done),
        buildState('0', { service_id: 'other' }),
      ],
      tasks: [
        buildTask('a', { state_id: '0', ...longAgo }),
        buildTask('b', { state_id: '0', ...done }),
        buildTask('c', done),
        buildTask('d', { state_id: 'unknown' }),
        buildTask('e', { service_id: 'other' }),
      ],
    }
    expect(documentOf(rows)).toMatchObject({
      active_states: [
        {
          state_id: '0',
          active_tasks: [{ task_id: 'a' }],
          completed_tasks: [{ task_id: 'b', duration: 0 }],
        },
      ],
      completed_states: [{ state_id: '1', duration: 0, ...empty }],
      active_tasks: [{ task_id: 'd' }],
      completed_tasks: [{ task_id: 'c' }],
    })
  })

  it('are ordered by start, then by the bytes of the id', () => {
    const early = { started_at: clock('11:00:00') }
    const rows = {
      states: [buildState('8'), buildState('10'), buildState('9', early)],
      tasks: [
        buildTask('é'),
        buildTask('z'),
        buildTask('10'),
        buildTask('9'),
        buildTask('zz', early),
      ],
    }
    expect(documentOf(rows)).toMatchObject({
      active_states: [{ state_id: '9' }, { state_id: '10' }, { state_id: '8' }],
      active_tasks: ['zz', '10', '9', 'z', 'é'].map((task_id) => ({ task_id })),
    })
  })
})

describe('a record that no document can show', () => {
  it.each([
    ['infinity', { services: [buildService({ completed_at: 'infinity' })] }, 'service S'],
    [
      'an infinite start',
      { states: [buildState('0'), buildState('1', { started_at: '-infinity' })] },
      'state 1 of service S',
    ],
    [
      'a context that is a list',
      { tasks: [buildTask('7', { started: '[]' })] },
      'task 7 of service S',
    ],
    ['a context that is null', { services: [buildService({ started: 'null' })] }, 'service S'],
    [
      'extensions that are a text',
      { services: [buildService({ extensions: '"x"' })] },
      'service S',
    ],
  ])('fails the export: %s', (_, rows, name) => {
    expect(() => documentOf(rows)).toThrow(name)
  })
})
