import { beforeAll, describe, expect, it } from 'vitest'
import type { AlarmMemory } from '../../src/archive/ports.ts'
import { createAlarmMemory } from '../../src/postgres/alarm-memory.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { createMemoryAlarmMemory } from '../support/memory-alarm-memory.ts'
import type { Release } from '../support/release.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 2, 29, 1, minute))

describe.each<readonly [string, (release: Release) => Promise<AlarmMemory>]>([
  ['in memory', () => Promise.resolve(createMemoryAlarmMemory())],
  [
    'in PostgreSQL',
    async (release) => {
      const { url } = await createTestDatabase(release, { reference: false })
      const pool = createPool(url, { role: 'control database' })
      release(() => pool.close())
      return createAlarmMemory(pool)
    },
  ],
])('a memory of alarms %s', (_name, make) => {
  let memory: AlarmMemory
  const release = releaseAfterAll()
  beforeAll(async () => {
    memory = await make(release)
  })

  it('keeps one alarm, until it is over', async () => {
    expect(await memory.get()).toBeUndefined()
    const alarm = { since: at(0), loggedAt: at(1), messageId: 'a' }
    await memory.put(alarm)
    expect(await memory.get()).toEqual(alarm)
    const told = { ...alarm, toldAt: at(2) }
    await memory.put(told)
    expect(await memory.get()).toEqual(told)
    const again = { since: at(0), loggedAt: at(3), messageId: 'b' }
    await memory.put(again)
    expect(await memory.get()).toEqual(again)
    await memory.clear()
    await memory.clear()
    expect(await memory.get()).toBeUndefined()
  })
})
