import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { createFolder } from '../../support/run-cli.ts'
import { until } from '../../support/until.ts'
import { startWebhookReceiver } from '../../support/webhook-receiver.ts'
import { createPatient, saying } from './setup.ts'

const scheduled = { ARCHIVE_SCHEDULE: 'hourly' }

async function fileOf(content: string): Promise<string> {
  const path = join(await createFolder(onTestFinished), 'archives.json')
  await writeFile(path, content)
  return path
}

describe('an archive', () => {
  it('that nobody wants is not looked at', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const { findings } = await diagnose()
    expect(findings.filter(({ part }) => part === 'archive')).toEqual([])
  })

  it('that is well has no problem, and leaves nothing in the bucket', async () => {
    const { bucket, diagnose } = await createPatient(onTestFinished)
    const zone = { ARCHIVE_TIMEZONE: 'Europe/Berlin', S3_PREFIX: 'team/' }
    const { findings, of, checks } = await diagnose({ ...scheduled, ...zone })
    expect(checks('problem')).toEqual([])
    expect(of('archive.definitions')).toEqual([
      saying('ok', /^services by the day, Europe.Berlin$/),
    ])
    expect(of('archive.calendar')).toEqual([saying('ok', /nothing of them yet/)])
    expect(of('archive.list')).toEqual([saying('ok', /below team\/archive\//)])
    const found = findings.filter(({ part }) => part === 'archive')
    expect(found.map(({ check, state }) => `${check} ${state}`)).toEqual([
      ...['definitions ok', 'calendar ok', 'list ok', 'put ok', 'copy ok', 'link ok', 'delete ok'],
      ...['begin upload ok', 'send part ok', 'abort upload ok', 'lifecycle skipped'],
    ])
    for (const each of found) expect(each.found).toMatch(/^\S.*[^.\s]$/s)
    expect(await bucket.keys()).toEqual([])
    expect(await bucket.openUploads()).toEqual([])
  })

  it('of a file is named as it is there', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const calls = { name: 'calls', window: 'hour', time_zone: 'Asia/Tokyo' }
    const file = await fileOf(JSON.stringify([{ name: 'services' }, calls]))
    const { of, checks } = await diagnose({ ARCHIVES_FILE: file })
    expect(checks('problem')).toEqual([])
    expect(of('archive.definitions')).toEqual([
      saying('ok', /^services by the day, UTC; calls by the hour, Asia.Tokyo$/),
    ])
  })

  it('whose file is missing, or no JSON, or wrong in several places, is told by what is wrong', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const definitionsOf = async (file: string) => {
      const { of, checks } = await diagnose({ ...scheduled, ARCHIVES_FILE: file })
      expect(checks('problem')).toEqual(['archive.definitions'])
      expect(of('archive.calendar')).toEqual([saying('skipped', /definitions/)])
      // what else there is to look at is looked at
      expect(of('archive.abort upload')).toEqual([saying('ok', /aborted/)])
      return of('archive.definitions')
    }
    const wrong = (found: RegExp) => saying('problem', found, /ARCHIVES_FILE/)
    expect(await definitionsOf('/there/is/none.json')).toEqual([
      wrong(/^ARCHIVES_FILE: .* \/there\/is\/none.json: ENOENT$/),
    ])
    expect(await definitionsOf(await fileOf('[{]'))).toEqual([
      wrong(/^ARCHIVES_FILE: expected JSON in .*archives.json: /),
    ])
    const entries = [
      { name: 'a', window: 'week' },
      { name: 'b', time_zone: 'Mars' },
    ]
    expect(await definitionsOf(await fileOf(JSON.stringify(entries)))).toEqual([
      wrong(/^ARCHIVES_FILE: a: window: .*"week"/),
      wrong(/^ARCHIVES_FILE: b: time_zone: expected a time zone/),
    ])
  })

  it('that is kept by another calendar is told, and stays as it is', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(
      `insert into longhaul.archives (name, unit, time_zone, entered_at)
       values ('services', 'day', 'Europe/Berlin', now())`,
    )
    const archives = async () =>
      (await database.pool.query<object>('select * from longhaul.archives')).rows
    const before = await archives()
    const kept = await diagnose({ ...scheduled, ARCHIVE_TIMEZONE: 'Europe/Berlin' })
    expect(kept.of('archive.calendar')).toEqual([saying('ok', /by the same windows/)])
    const moved = await diagnose(scheduled)
    expect(moved.checks('problem')).toEqual(['archive.calendar'])
    expect(moved.of('archive.calendar')).toEqual([
      saying(
        'problem',
        /keeps services by the day, Europe.Berlin, .* by the day, UTC/,
        /Set .*back/,
      ),
    ])
    expect(await archives()).toEqual(before)
  })

  it('is looked at where the control database does not answer, or the bucket', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    const away = `postgres://127.0.0.1:${await lastingPort()}/x`
    const apart = { ...scheduled, SOURCE_DATABASE_URL: database.url }
    const { of, checks } = await diagnose({ ...apart, DATABASE_URL: away })
    expect(checks('problem')).toEqual(['control database.connection'])
    expect(of('archive.calendar')).toEqual([saying('skipped', /control database.migrations/)])
    expect(of('archive.copy')).toEqual([saying('ok', /copy/)])
    const lost = await diagnose({ ...scheduled, S3_BUCKET: 'there-is-none' })
    expect(lost.checks('problem')).toEqual(['bucket.answer'])
    expect(lost.of('archive.calendar')).toEqual([saying('ok', /nothing of them yet/)])
    expect(lost.of('archive.put')).toEqual([saying('skipped', /bucket.answer/)])
  })
})

describe('a webhook', () => {
  const secret = 'hush-secret-hush-secret-hush'
  const told = (url: string) => ({
    ...{ ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: secret },
    ALERT_WEBHOOK_ALLOW_PRIVATE: 'true',
  })
  const secrets = [secret, 'hush-token']

  it('takes a connection, and hears no word', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const { url, calls, open } = await startWebhookReceiver(onTestFinished)
    const { of } = await diagnose({ ...scheduled, ...told(url) }, { secrets })
    expect(of('archive.webhook')).toEqual([
      saying('ok', /^http:\/\/127.0.0.1:\d+ takes connections$/),
    ])
    await until(() => open() === 0)
    expect(calls).toEqual([])
  })

  it('that nobody listens at is a problem', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const url = `http://127.0.0.1:${await lastingPort()}/hush-token`
    const { of, checks } = await diagnose({ ...scheduled, ...told(url) }, { secrets })
    expect(checks('problem')).toEqual(['archive.webhook'])
    expect(of('archive.webhook')).toEqual([saying('problem', /ECONNREFUSED/, /ALERT_WEBHOOK_URL/)])
  })

  it('that nothing would ever call is a warning, and is not asked', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const url = `http://127.0.0.1:${await lastingPort()}/hush-token`
    const { findings, of } = await diagnose(told(url), { secrets })
    expect(of('archive.webhook')).toEqual([
      saying('warning', /nobody will be called/, /ARCHIVE_SCHEDULE/),
    ])
    expect(findings.filter(({ part }) => part === 'archive')).toHaveLength(1)
  })
})
