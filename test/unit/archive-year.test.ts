import { describe, expect, it } from 'vitest'
import { startOfDate, windowsFrom } from '../../src/archive/calendar.ts'
import type { ArchiveDefinition } from '../../src/archive/model.ts'
import { keepForEver } from '../../src/runtime/keep-text.ts'
import { createArchiveWorld, rollCompletions } from '../support/archive-world.ts'
import { createDice } from '../support/dice.ts'

const hourMs = 3_600_000
const days = 400

interface ManifestFacts {
  readonly window: string
  readonly time_from: string
  readonly time_to: string
  readonly artifact: { readonly key: string; readonly rows: number }
}

// thousands of looks; most of their time is spent in Temporal
describe.each(['Europe/Berlin', 'Africa/Cairo'])(
  '400 days in %s',
  { timeout: 60_000 },
  (timeZone) => {
    it.each([1, 2, 3, 4, 5])(
      'with downtime, doubled ticks and crashes have each window once, and each record in one (seed %i)',
      async (seed) => {
        const dice = createDice(seed)
        const start = startOfDate('2025-03-01', timeZone)!
        const definition: ArchiveDefinition = {
          name: 'services',
          calendar: { unit: 'day', timeZone },
          start,
          settleMs: 2 * hourMs,
          request: {
            dataset: 'services',
            ...{ filter_events: 'completed', filter_state: 'any', export_content: true },
            ...{ format: 'ndjson', compression: 'gzip' },
          },
          keep: keepForEver,
        }
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
        const archived = artifacts.flatMap(([, body]) => body.split('\n').slice(0, -1))
        expect(archived).toHaveLength(completions.length)
        expect(new Set(archived)).toEqual(new Set(completions.map(({ id }) => id)))
      },
    )
  },
)
