import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { migrate } from '../../../src/postgres/migrate.ts'
import { readTexts } from '../../support/read-selection.ts'

/** A database of this encoding, with services a, b and c; the disposition of b has these bytes. */
async function setup(encoding: string, bytes: string): Promise<string> {
  const { DATABASE_URL } = inject('stack')
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: DATABASE_URL })
  await admin.connect()
  await admin.query(`create database ${name} template template0 encoding '${encoding}' locale 'C'`)
  onTestFinished(async () => {
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  })
  const url = new URL(DATABASE_URL)
  url.pathname = `/${name}`
  await migrate(url.href, { referenceSchema: true })
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  await client.query(
    `insert into context_services.services (service_id, service_type, started_at, disposition)
     select id, '100', '2014-07-22T12:00:00Z',
       case id when 'b' then convert_from(decode('${bytes}', 'hex'), current_setting('server_encoding')) end
     from unnest(array['a', 'b', 'c']) id`,
  )
  await client.end()
  return url.href
}

const read = (url: string) =>
  readTexts(url, {
    from: '2014-07-22T00:00:00Z',
    to: '2014-07-23T00:00:00Z',
    events: 'any',
    state: 'any',
    content: true,
  })

describe('a source database that is not UTF-8', () => {
  it.each([
    ['LATIN1', 'e9', 'é'],
    ['WIN1252', '80', '€'],
    ['EUC_JP', 'c6fcb1d1', '日英'],
    ['SQL_ASCII', 'c3a9', 'é'],
  ])('is exported as UTF-8: %s', async (encoding, bytes, text) => {
    const texts = await read(await setup(encoding, bytes))
    expect(texts).toHaveLength(3)
    expect(JSON.parse(texts[1]!)).toMatchObject({ service_id: 'b', disposition: text })
  })

  it('fails the export where it holds bytes that are no text, with the id', async () => {
    const url = await setup('SQL_ASCII', 'ff41')
    await expect(read(url)).rejects.toMatchObject({
      retryable: false,
      message: expect.stringMatching(
        /^The service "b" cannot be exported: .*invalid byte sequence.*SQLSTATE 22021/,
      ) as string,
    })
  })
})
