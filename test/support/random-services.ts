import { createDice, type Dice } from './dice.ts'
import { hostileTexts } from './hostile-texts.ts'
import {
  buildService,
  buildState,
  buildTask,
  type ReferenceRows,
  type ServiceRow,
} from './reference-rows.ts'

const perhaps = <T>(dice: Dice, value: () => T): T | null => (dice.percent(50) ? value() : null)

const fields = ['service_id', 'state_id', 'duration', 'completed', 'active_tasks', 'timestamp']
const numbers = [0, -1, 1.5, 1e-7, 1e300, -(2 ** 53), 2 ** 53, 0.1 + 0.2]

/** Services with states and tasks, any text in any place and any event at any time of one hour. */
export function randomServices(seed: number, count: number): ReferenceRows {
  const dice = createDice(seed)
  const rows = {
    services: [] as ServiceRow[],
    states: [] as ReturnType<typeof buildState>[],
    tasks: [] as ReturnType<typeof buildTask>[],
  }
  for (let n = 0; n < count; n++) {
    const service_id = `${n} ${text(dice)}`
    rows.services.push(
      buildService({
        ...record(dice, service_id),
        service_type: text(dice),
        customer_id: perhaps(dice, () => text(dice)),
        contact_key: perhaps(dice, () => text(dice)),
      }),
    )
    const stateIds = new Set(Array.from({ length: dice.between(0, 3) }, () => text(dice)))
    for (const state_id of stateIds) {
      const previous_state_id = perhaps(dice, () => text(dice))
      const given = { ...record(dice, service_id), state_type: text(dice), previous_state_id }
      rows.states.push(buildState(state_id, given))
    }
    const taskIds = new Set(Array.from({ length: dice.between(0, 5) }, () => text(dice)))
    for (const task_id of taskIds) {
      const state_id = perhaps(dice, () => dice.pick([...stateIds, text(dice)]))
      rows.tasks.push(
        buildTask(task_id, { ...record(dice, service_id), task_type: text(dice), state_id }),
      )
    }
  }
  return rows
}

/** Of a length that a person can read where a test fails; others try long ones. */
const shortTexts = hostileTexts.filter(({ length }) => length < 100)

const text = (dice: Dice): string =>
  dice.pick(shortTexts) + dice.pick([() => '', () => dice.pick(shortTexts)])()

/** Few instants, so that many are equal; microseconds that must not round up. */
const time = (dice: Dice): string =>
  `2014-07-22T12:${String(dice.between(0, 59)).padStart(2, '0')}:00.${dice.pick(['000000', '000999', '999999', '500500'])}Z`

const record = (dice: Dice, service_id: string) => {
  const completed_at = perhaps(dice, () => time(dice))
  return {
    service_id,
    est_duration: perhaps(dice, () => dice.pick([0, -1, 60, 2147483647])),
    disposition: perhaps(dice, () => text(dice)),
    disposition_desc: perhaps(dice, () => text(dice)),
    started_at: time(dice),
    started: JSON.stringify(object(dice, 2)),
    completed_at,
    completed: perhaps(dice, () => JSON.stringify(object(dice, 2))),
    extensions: JSON.stringify(object(dice, 3)),
  }
}

function object(dice: Dice, depth: number): unknown {
  const key = () => dice.pick([() => text(dice), () => dice.pick(fields)])()
  return Object.fromEntries(
    Array.from({ length: dice.between(0, 4) }, () => [key(), value(dice, depth)]),
  )
}

function value(dice: Dice, depth: number): unknown {
  const deeper =
    depth === 0
      ? []
      : [
          () => object(dice, depth - 1),
          () => Array.from({ length: dice.between(0, 3) }, () => value(dice, depth - 1)),
        ]
  return dice.pick<() => unknown>([
    () => null,
    () => true,
    () => dice.pick(numbers),
    () => text(dice),
    ...deeper,
  ])()
}
