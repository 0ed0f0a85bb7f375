import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { until } from '../support/until.ts'

it('a pool with a statement that is never answered ends in time all the same', async () => {
  const database = await createTestDatabase(onTestFinished, { reference: false })
  const proxy = await createFaultProxy(database.url, onTestFinished)
  const pool = createPool(proxy.url, { role: 'control database', connections: 3 })
  await Promise.all([1, 2, 3].map(() => pool.query('select pg_sleep(0.1)')))
  proxy.strike({ then: 'stall', forGood: true })
  const outcome = pool.query('select 1').catch((error: unknown) => error)
  // a query that no connection has been given yet would wait for one, not for its answer
  await nextTurn()
  const began = performance.now()
  await Promise.all([pool.close(), pool.close()])
  expect(await outcome).toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
  expect(performance.now() - began).toBeLessThan(4000)
})

it('of connections that nobody uses so many stay open as are to be kept', async () => {
  const database = await createTestDatabase(onTestFinished, { reference: false })
  const pool = createPool(database.url, { role: 'control database', connections: 5, kept: 2 })
  onTestFinished(() => pool.close())
  const backend = async () => {
    const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
    return rows[0]?.pid
  }
  const five = await Promise.all([1, 2, 3, 4, 5].map(backend))
  expect(new Set(five).size).toBe(5)
  await until(() => pool.usage().idle <= 2, { what: 'idle connections to end' })
  expect(five).toContain(await backend())
  expect(pool.usage()).toEqual({ busy: 0, idle: 2, waiting: 0 })
})
