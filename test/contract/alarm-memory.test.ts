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
    expect(await memory.put(alarm, alarm)).toBe(false)
    expect(await memory.put(alarm, undefined)).toBe(true)
    expect(await memory.get()).toEqual(alarm)
    const told = { ...alarm, toldAt: at(2) }
    expect(await memory.put(told, alarm)).toBe(true)
    expect(await memory.get()).toEqual(told)
    const again = { since: at(0), loggedAt: at(3), messageId: 'b' }
    expect(await memory.put(again, told)).toBe(true)
    expect(await memory.get()).toEqual(again)
    expect(await memory.put(told, alarm)).toBe(false)
    expect(await memory.put(told, undefined)).toBe(false)
    expect(await memory.clear(told)).toBe(false)
    expect(await memory.get()).toEqual(again)
    expect(await memory.clear(again)).toBe(true)
    expect(await memory.clear(again)).toBe(false)
    expect(await memory.get()).toBeUndefined()
  })

  it('lets one of those go on that raise, replace or clear it at the same time', async () => {
    const alarm = (messageId: string) => ({ since: at(0), loggedAt: at(1), messageId })
    const winners = async (attempts: readonly Promise<boolean>[]) =>
      (await Promise.all(attempts)).filter(Boolean).length
    expect(await winners(['a', 'b', 'c'].map((id) => memory.put(alarm(id), undefined)))).toBe(1)
    const raised = (await memory.get())!
    expect(await winners(['d', 'e', 'f'].map((id) => memory.put(alarm(id), raised)))).toBe(1)
    const replaced = (await memory.get())!
    expect(await winners([1, 2, 3].map(() => memory.clear(replaced)))).toBe(1)
  })
})
