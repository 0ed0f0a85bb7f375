import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ExportView } from '../../src/http/schemas.ts'
import { ask } from '../support/ask.ts'
import { sha256 } from '../support/chunks.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectList } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release)
  await insertFixtureServices(system.database.pool)
})

async function completed(body: object): Promise<ExportView> {
  const { id } = await system.client.request({ ...fixtureRange, ...body })
  return system.client.wait(id)
}

async function fetched(view: ExportView | undefined) {
  const response = await fetch(view!.artifact!.url)
  return { response, bytes: Buffer.from(await response.arrayBuffer()) }
}

describe('an artifact', () => {
  it.each([true, false])(
    'is the same as gzip, under a name that says so: content %s',
    async (content) => {
      const [plain, packed] = await Promise.all(
        ['none', 'gzip'].map((compression) => completed({ export_content: content, compression })),
      )
      const { artifact } = packed!
      expect(packed!.request.compression).toBe('gzip')
      expect(artifact).toMatchObject({
        content_type: 'application/gzip',
        raw_bytes: plain!.artifact!.bytes,
        raw_sha256: plain!.artifact!.sha256,
        rows: plain!.artifact!.rows,
      })
      expect(plain!.artifact).toMatchObject({
        raw_bytes: plain!.artifact!.bytes,
        raw_sha256: plain!.artifact!.sha256,
      })
      const { response, bytes } = await fetched(packed)
      // a client that unpacks by itself would leave a name that says that it has not
      expect(response.headers.get('content-encoding')).toBeNull()
      expect(response.headers.get('content-type')).toBe('application/gzip')
      expect(response.headers.get('content-disposition')).toContain('T180000Z.json.gz"')
      expect([bytes.length, sha256(bytes)]).toEqual([artifact!.bytes, artifact!.sha256])
      expect(sha256(gunzipSync(bytes))).toBe(artifact!.raw_sha256)
      // what the list shows is the record's
      const [listed] = expectList(
        await ask(system.url, 'GET', '/exports?limit=100'),
      ).exports.filter(({ id }) => id === packed!.id)
      expect(listed!.request.compression).toBe('gzip')
    },
  )

  it.each([true, false])('has a line for each element as ndjson: content %s', async (content) => {
    const [array, lines, packed] = await Promise.all(
      [{}, { format: 'ndjson' }, { format: 'ndjson', compression: 'gzip' }].map((how) =>
        completed({ export_content: content, ...how }),
      ),
    )
    const { response, bytes } = await fetched(lines)
    expect(lines!.artifact).toMatchObject({ rows: 5, content_type: 'application/x-ndjson' })
    expect(response.headers.get('content-type')).toBe('application/x-ndjson')
    expect(response.headers.get('content-disposition')).toContain('T180000Z.ndjson"')
    expect(sha256(bytes)).toBe(lines!.artifact!.sha256)
    const text = bytes.toString()
    expect(text.endsWith('\n')).toBe(true)
    const elements = text.split('\n').slice(0, -1)
    // the same texts, in the same order
    expect(`[${elements.join(',\n')}]`).toBe((await fetched(array)).bytes.toString())
    expect(gunzipSync((await fetched(packed)).bytes).toString()).toBe(text)
    expect(packed!.artifact).toMatchObject({
      content_type: 'application/gzip',
      raw_sha256: lines!.artifact!.sha256,
    })
  })

  it('without an element is an empty file as ndjson', async () => {
    const view = await completed({
      time_from: '2001-01-01T00:00:00Z',
      time_to: '2001-01-02T00:00:00Z',
      format: 'ndjson',
    })
    expect(view.artifact).toMatchObject({ rows: 0, bytes: 0, sha256: sha256('') })
    const { response, bytes } = await fetched(view)
    expect([response.status, bytes.length]).toEqual([200, 0])
  })
})
