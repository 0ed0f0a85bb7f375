import { createDice, type Dice } from './seed-dice.ts'
import * as vocabulary from './seed-words.ts'

/** What a service, state or task says, without ids and times: those are dealt row by row in SQL. */
export interface SeedTemplate {
  readonly kind: Kind
  /** From 0, for each kind of its own; services from `templateCount` up are the huge ones. */
  readonly number: number
  readonly type: string
  readonly est_duration: number | null
  readonly disposition: string | null
  readonly disposition_desc: string | null
  readonly started: JsonObject
  readonly completed: JsonObject | null
  readonly extensions: JsonObject
}

type Kind = 'service' | 'state' | 'task'
type Json = string | number | boolean | null | readonly Json[] | JsonObject
interface JsonObject {
  readonly [key: string]: Json
}

/** Ordinary templates of each kind; a power of two, because a row's template is a few bits of its hash. */
export const templateCount = 2048
/** Huge services, 100 to 300 KB each. */
export const hugeTemplateCount = 4

/** The same seed gives the same templates, on every machine. */
export function buildTemplates(seed: number): readonly SeedTemplate[] {
  const dice = createDice(seed)
  const kinds = ['service', 'state', 'task'] as const
  return [
    ...kinds.flatMap((kind) =>
      repeat(templateCount, (number) => buildTemplate(dice, kind, number)),
    ),
    ...repeat(hugeTemplateCount, (number) => buildHugeTemplate(dice, templateCount + number)),
  ]
}

function buildTemplate(dice: Dice, kind: Kind, number: number): SeedTemplate {
  const [disposition, description] = dice.pick(vocabulary.dispositions)
  return {
    kind,
    number,
    type: dice.pick(types[kind]),
    est_duration: dice.oneIn(4) ? null : dice.below(20) * 60,
    disposition: dice.oneIn(4) ? null : disposition,
    disposition_desc: dice.oneIn(3) ? null : dice.oneIn(20) ? oddText(dice) : description,
    started: buildContext(dice, kind),
    // an event may be recorded with no context at all
    completed: dice.oneIn(100) ? null : buildContext(dice, kind),
    extensions: kind === 'service' ? buildServiceExtensions(dice) : buildPartExtensions(dice, kind),
  }
}

const types = {
  service: vocabulary.serviceTypes,
  state: vocabulary.stateTypes,
  task: vocabulary.taskTypes,
} as const

function buildHugeTemplate(dice: Dice, number: number): SeedTemplate {
  const lines = 2000 + dice.below(3500)
  const Transcript = repeat(lines, () => ({ said: sentence(dice, 6), at: dice.below(100_000) }))
  const template = buildTemplate(dice, 'service', number)
  return { ...template, extensions: { ...template.extensions, Transcript } }
}

/** Services are recorded with most of their context, their states and tasks with a little of it. */
function buildContext(dice: Dice, kind: Kind): JsonObject {
  const known: JsonObject = {
    session_id: hex(dice, 24),
    interaction_id: String(dice.below(100_000)),
    application_type: 400,
    application_id: dice.below(50),
    resource_type: 200,
    resource_id: dice.oneIn(3) ? `agent-${dice.below(900)}` : dice.below(90),
    media_type: dice.oneIn(2) ? 2 : 'web',
  }
  const kept = Object.entries(known)
    .filter(() => (kind === 'service' ? !dice.oneIn(5) : dice.oneIn(3)))
    .map(([key, value]): [string, Json] => [key, dice.oneIn(40) ? null : value])
  return {
    ...Object.fromEntries(kept),
    ...(dice.oneIn(60) ? { channel: oddText(dice) } : {}),
    ...(dice.oneIn(150) ? { timestamp: '1999-12-31T23:59:59.999Z' } : {}),
  }
}

function buildServiceExtensions(dice: Dice): JsonObject {
  return {
    ...(dice.oneIn(2) ? { Feedback: feedback(dice) } : {}),
    ...(dice.oneIn(5) ? { Satisfaction: repeat(1 + dice.below(3), () => satisfaction(dice)) } : {}),
    ...(dice.oneIn(5) ? { relatedOffers: repeat(1 + dice.below(2), () => offer(dice)) } : {}),
    ...(dice.oneIn(100) ? { Transcript: repeat(40, () => sentence(dice, 12)) } : {}),
    ...buildOddExtensions(dice, 'service', 16),
  }
}

function buildPartExtensions(dice: Dice, kind: 'state' | 'task'): JsonObject {
  return {
    ...(dice.oneIn(6) ? { Remark: sentence(dice, 6) } : {}),
    ...buildOddExtensions(dice, kind, 32),
  }
}

/** Each oddity on its own in one of `rarity` rows, the reserved names more rarely. */
function buildOddExtensions(dice: Dice, kind: Kind, rarity: number): JsonObject {
  return {
    ...(dice.oneIn(rarity) ? { Remark: oddText(dice) } : {}),
    ...(dice.oneIn(rarity) ? { [dice.pick(vocabulary.oddNames)]: dice.pick(oddValues) } : {}),
    ...(dice.oneIn(4 * rarity) ? { [dice.pick(reservedNames[kind])]: 'an extension' } : {}),
  }
}

/** Fields of a document, whose names an extension may bear all the same; `timestamp` is an event's. */
const reservedNames = {
  service: ['completed', 'timestamp', 'service_id', 'duration', 'active_states', 'disposition'],
  state: ['completed', 'timestamp', 'state_id', 'duration', 'active_tasks'],
  task: ['completed', 'timestamp', 'task_id', 'started'],
} as const

const oddValues: readonly [Json, ...Json[]] = [
  null,
  [],
  {},
  [null, [null, { none: null }]],
  { none: null, some: { none: null, '': '' } },
  true,
  0,
  -0.5,
  1e-7,
  Number.MAX_SAFE_INTEGER,
  'null',
  [[[[[['deep']]]]]],
]

const feedback = (dice: Dice): Json => ({
  text: dice.oneIn(12) ? oddText(dice) : sentence(dice, 8),
  rating: dice.oneIn(30) ? null : dice.below(6),
  notes: sentence(dice, 4),
})

const satisfaction = (dice: Dice): Json => ({
  rating: dice.below(11),
  pertinence: dice.below(100) / 10,
  place: dice.pick(vocabulary.places),
})

const offer = (dice: Dice): Json => ({
  name: dice.pick(vocabulary.offers),
  type: dice.pick(vocabulary.offerTypes),
  comment: dice.oneIn(10) ? oddText(dice) : sentence(dice, 5),
})

const oddText = (dice: Dice): string => dice.pick(vocabulary.oddTexts)

const sentence = (dice: Dice, length: number): string =>
  repeat(length, () => dice.pick(vocabulary.words)).join(' ')

const hex = (dice: Dice, digits: number): string =>
  repeat(digits, () => dice.below(16).toString(16)).join('')

function repeat<T>(count: number, build: (number: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, number) => build(number))
}
