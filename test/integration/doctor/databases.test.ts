import net, { type AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../../support/describe-with.ts'
import { missingPgbouncer, startPgbouncer } from '../../support/pgbouncer.ts'
import { createRole } from './create-role.ts'
import { createPatient, saying } from './setup.ts'

const control = 'control database'
const source = 'source database'

/** Takes connections, and never says a word. @returns its port */
async function listenSilently(): Promise<number> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  )
  return (server.address() as AddressInfo).port
}

describe('a control database', () => {
  it('that is not migrated is told, and what to run', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query('drop schema longhaul cascade')
    const { of, checks } = await diagnose()
    expect(of(`${control}.migrations`)).toEqual([
      saying('problem', /0001_exports.*missing/, /^Run `longhaul migrate`\.$/),
    ])
    expect(of(`${control}.rights`)).toEqual([saying('skipped', /migrations/)])
    // all else is looked at
    expect(checks('problem')).toEqual([`${control}.migrations`])
  })

  it('that a newer version has migrated, or was here half, is told', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`insert into longhaul.migrations (name) values ('0999_later')`)
    const newer = await diagnose()
    expect(newer.of(`${control}.migrations`)).toEqual([saying('warning', /0999_later/, /Upgrade/)])
    expect(newer.checks('problem')).toEqual([])
    await database.pool.query(`delete from longhaul.migrations where name like '0007%'`)
    const { of } = await diagnose()
    expect(of(`${control}.migrations`)).toEqual([saying('problem', /0007_held_back are missing/)])
  })

  it('whose password is wrong is told once, and what needs it is skipped', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    const url = new URL(database.url)
    url.password = 'not-the-password-4711'
    const { of, checks } = await diagnose(
      { DATABASE_URL: url.href, SOURCE_DATABASE_URL: database.url },
      { secrets: ['not-the-password-4711'] },
    )
    expect(of(`${control}.connection`)).toEqual([
      saying('problem', /password authentication failed/, /password/),
    ])
    expect(checks('problem')).toEqual([`${control}.connection`])
    expect(checks('skipped')).toEqual(
      expect.arrayContaining([`${control}.clock`, `${control}.rights`, 'queue.schema']),
    )
  })

  it('that never says a word is given up after a while, and no other check for it', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    const silent = `postgres://nobody:hush-hush-hush@127.0.0.1:${await listenSilently()}/x`
    const began = performance.now()
    const { of, checks } = await diagnose(
      { DATABASE_URL: silent, SOURCE_DATABASE_URL: database.url },
      { timeoutMs: 3000, secrets: ['hush-hush-hush'] },
    )
    expect(performance.now() - began).toBeLessThan(15_000)
    expect(of(`${control}.connection`)).toEqual([
      saying('problem', /no answer within 3 s/, /Check/),
    ])
    expect(checks('problem')).toEqual([`${control}.connection`])
  })

  it('whose user may not do what is needed is told', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    const role = await createRole(database.pool, (name) => [
      `grant usage on schema longhaul to ${name}`,
      `grant select, insert on longhaul.exports, longhaul.migrations to ${name}`,
    ])
    const { of } = await diagnose({ DATABASE_URL: role(database.url) })
    expect(of(`${control}.rights`)).toEqual([
      saying('problem', /this user lacks: update on longhaul.exports$/, /Grant/),
    ])
    expect(of('queue.schema')).toEqual([saying('problem', /may not make a schema/, /Grant create/)])
  })

  it('whose clock is another is told', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const clock = { now: () => new Date(Date.now() + 3_600_000) }
    const { of, checks } = await diagnose({}, { clock })
    const late = saying('warning', /^3600 s behind this machine's clock/, /NTP/)
    expect(of(`${control}.clock`)).toEqual([late])
    expect(of(`${source}.clock`)).toEqual([late])
    expect(of('bucket.answer')).toContainEqual(saying('warning', /^3\d{3} s behind/, /NTP/))
    expect(checks('problem')).toEqual([])
  })

  describeWith('pgbouncer', missingPgbouncer, 'behind a pooler', () => {
    it('is told, as the queue listens', async () => {
      const { database, diagnose } = await createPatient(onTestFinished)
      const pooled = await startPgbouncer(database.url, onTestFinished)
      const { of, checks } = await diagnose({ DATABASE_URL: pooled })
      expect(of(`${control}.server`)).toContainEqual(saying('warning', /pooler/, /REDIS_URL/))
      expect(of(`${source}.server`)).toContainEqual(saying('ok', /pooler/))
      expect(checks('problem')).toEqual([])
    })
  })
})
