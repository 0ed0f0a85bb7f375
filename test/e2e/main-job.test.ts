import { createHash } from 'node:crypto'
import { beforeAll, expect, it } from 'vitest'
import { describeOnS3 } from '../support/describe-on-s3.ts'
import {
  fixtureRange,
  fixtureSelections,
  insertFixtureServices,
} from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

describeOnS3('the main job, from request to link', (endpoint) => {
  let system: TestSystem

  const release = releaseAfterAll()
  beforeAll(async () => {
    system = await startTestSystem(release, { s3Endpoint: await endpoint() })
    await insertFixtureServices(system.database.pool)
  })

  /** Requests, waits, and fetches by the link. */
  async function exportText(body: Record<string, unknown>) {
    const { id } = await system.client.request({ ...fixtureRange, ...body })
    const view = await system.client.wait(id)
    expect(view.error).toBeUndefined()
    const response = await fetch(view.artifact!.url)
    return { view, text: await response.text(), response }
  }

  it.each(fixtureSelections)(
    'exports the fixture services: events %s, state %s',
    async (events, state, ids) => {
      const { view, text } = await exportText({
        filter_events: events,
        filter_state: state,
        export_content: true,
      })
      const documents = JSON.parse(text) as { service_id: string }[]
      expect(documents.map((document) => document.service_id)).toEqual(ids)
      expect(view.artifact).toMatchObject({
        rows: ids.length,
        bytes: Buffer.byteLength(text),
        sha256: createHash('sha256').update(text).digest('hex'),
        content_type: 'application/json',
      })
    },
  )

  it('exports ids as an array of strings, joined by a comma and a line feed', async () => {
    const { text } = await exportText({})
    expect(text).toBe('["S7",\n"S1",\n"S4",\n"S2",\n"S3"]')
  })

  it('exports nothing as []', async () => {
    const { text, view } = await exportText({
      filter_events: 'completed',
      time_to: '2014-07-22T12:00:01Z',
    })
    expect(text).toBe('[]')
    expect(view.artifact).toMatchObject({ rows: 0, bytes: 2 })
  })

  it('gives the same bytes on every run over the same data', async () => {
    const runs = [
      await exportText({ export_content: true }),
      await exportText({ export_content: true }),
    ]
    expect(runs[0]!.view.artifact!.sha256).toBe(runs[1]!.view.artifact!.sha256)
    expect(runs[0]!.view.artifact!.key).not.toBe(runs[1]!.view.artifact!.key)
  })

  it('hands out a link that downloads under a sensible name and type', async () => {
    const { response, view } = await exportText({})
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="services_20140722T120000Z_20140722T180000Z.json"',
    )
    expect(view.artifact!.key).toBe(
      `exports/${view.id}/1/services_20140722T120000Z_20140722T180000Z.json`,
    )
  })
})
