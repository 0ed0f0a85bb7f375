import { describe, expect, it } from 'vitest'
import { startOfDate, windowAt, windowsFrom } from '../../src/archive/calendar.ts'
import type { ArchiveDefinition } from '../../src/archive/model.ts'
import { keepForEver } from '../../src/runtime/keep-text.ts'
import { createArchiveWorld, rollCompletions, type Completion } from '../support/archive-world.ts'
import { createDice } from '../support/dice.ts'

const hourMs = 3_600_000
const days = 400

interface ManifestFacts {
  readonly window: string
  readonly time_from: string
  readonly time_to: string
  readonly artifact: { readonly key: string; readonly rows: number }
}

const dailyFrom = (date: string, timeZone: string): ArchiveDefinition => ({
  name: 'services',
  calendar: { unit: 'day', timeZone },
  start: startOfDate(date, timeZone)!,
  settleMs: 2 * hourMs,
  request: {
    dataset: 'services',
    ...{ filter_events: 'completed', filter_state: 'any', export_content: true },
    ...{ format: 'ndjson', compression: 'none' },
  },
  keep: keepForEver,
})

const idsIn = (body: string) =>
  body
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as string)

// thousands of looks; most of their time is spent in Temporal
describe.each(['Europe/Berlin', 'Africa/Cairo'])(
  '400 days in %s',
  { timeout: 60_000 },
  (timeZone) => {
    it.each([1, 2, 3, 4, 5])(
      'with downtime, doubled ticks and crashes have each window once, and each record in one (seed %i)',
      async (seed) => {
        const dice = createDice(seed)
        const definition = dailyFrom('2025-03-01', timeZone)
        const start = definition.start!
        const completions = rollCompletions(dice, start, days)
        const world = createArchiveWorld(definition, { dice, begin: start, completions })
        const end = new Date(start.getTime() + days * 24 * hourMs)
        while (world.now() < end) {
          // mostly some hours; now and then nobody is there for up to ten days
          world.pass(dice.percent(2) ? dice.between(1, 240) * hourMs : dice.between(1, hourMs * 16))
          await Promise.all(Array.from({ length: dice.between(1, 2) }, () => world.look()))
          await world.work()
        }
        world.calm()
        for (let tick = 0; tick < 400; tick++) {
          world.pass(hourMs)
          await world.look()
          await world.work()
        }
        // the manifest of what was exported last
        await world.look()

        const manifests = [...world.objects]
          .filter(([key]) => key.includes('/_manifests/'))
          .map(([, text]) => JSON.parse(text) as ManifestFacts)
          .sort((a, b) => a.time_from.localeCompare(b.time_from))
        const expected: string[] = []
        for (const { name, to } of windowsFrom(definition.calendar, start)) {
          if (to.getTime() + 3 * hourMs > world.now().getTime()) break
          expected.push(name)
        }
        expect(manifests.map(({ window }) => window).slice(0, expected.length)).toEqual(expected)
        expect(expected.length).toBeGreaterThan(days)
        manifests.forEach(({ time_to }, n) => {
          const next = manifests[n + 1]
          if (next !== undefined) expect(next.time_from).toBe(time_to)
        })

        // what a reader of dt=*/* finds: the artifacts that the manifests name, and nothing besides
        const artifacts = [...world.objects].filter(([key]) => key.includes('/dt='))
        expect(artifacts.map(([key]) => key).sort()).toEqual(
          manifests.map(({ artifact }) => artifact.key).sort(),
        )
        const archived = artifacts
          .flatMap(([, body]) => body.split('\n').slice(0, -1))
          .map((line) => JSON.parse(line) as string)
        expect(archived).toHaveLength(completions.length)
        expect(new Set(archived)).toEqual(new Set(completions.map(({ id }) => id)))
      },
    )

    it.each([1, 2, 3])(
      'find what comes late, and lose nothing that was purged meanwhile (seed %i)',
      async (seed) => {
        const dice = createDice(seed)
        const definition = dailyFrom('2025-09-20', timeZone)
        const start = definition.start!
        const completions = rollCompletions(dice, start, 60).map((completion): Completion => {
          const after = (hours: number) => new Date(completion.at.getTime() + hours * hourMs)
          if (dice.percent(8)) return { ...completion, seenAt: after(dice.between(1, 72)) }
          return dice.percent(4)
            ? { ...completion, goneAt: after(dice.between(27, 120)) }
            : completion
        })
        const world = createArchiveWorld(definition, { dice, begin: start, completions })
        const end = new Date(start.getTime() + 70 * 24 * hourMs)
        while (world.now() < end) {
          world.pass(dice.between(1, hourMs * 12))
          await Promise.all([world.look(), dice.percent(50) ? world.look() : world.check()])
          await world.work()
        }
        world.calm()
        for (let tick = 0; tick < 200; tick++) {
          world.pass(hourMs)
          if (tick % 10 === 0) await world.check()
          await world.look()
          await world.work()
        }
        await world.look()

        const idsBelow = (folder: RegExp) =>
          [...world.objects].flatMap(([key, body]) => (folder.test(key) ? idsIn(body) : []))
        const archived = idsBelow(/services\/dt=/)
        const found = new Set(archived)
        expect(new Set(archived).size).toBe(archived.length)
        const superseded = idsBelow(/services\/_superseded\/dt=/)
        expect(superseded.length).toBeGreaterThan(100)
        const missing = superseded.filter((id) => !found.has(id))
        expect(missing).toEqual([])
        // on days of which nothing was purged
        const dayOf = ({ at }: Completion) => windowAt(definition.calendar, at).name
        const purged = new Set(completions.filter(({ goneAt }) => goneAt).map(dayOf))
        const lost = completions.filter((each) => !purged.has(dayOf(each)) && !found.has(each.id))
        expect(lost).toEqual([])
      },
    )
  },
)
