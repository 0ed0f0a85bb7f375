import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient, type Client } from '../../src/client/client.ts'
import type { ExportView } from '../../src/http/schemas.ts'
import { sha256 } from './chunks.ts'
import type { Release } from './release.ts'

export interface ObjectRequest {
  /** From 1. */
  readonly number: number
  readonly headers: http.IncomingHttpHeaders
  /** Which link was used: that of the first answer about the export is 1. */
  readonly link: number
  /** The first byte that a range asks for; undefined without one. */
  readonly offset: number | undefined
}

/** Answers the requests for the object as a store should not; the next asks it to answer well. */
export type StoreAnswer = (
  request: ObjectRequest,
  response: http.ServerResponse,
  well: () => void,
) => void

export interface FakeStore {
  readonly url: string
  readonly client: Client
  readonly id: string
  /** All requests for the object so far. */
  readonly requests: readonly ObjectRequest[]
}

export interface FakeStoreOptions {
  /** What the record says is stored. */
  readonly body: Buffer
  readonly answer?: StoreAnswer
  /** What is different from a completed export of `body`, by the number of the answer, from 1. */
  readonly view?: (answer: number, plain: ExportView) => ExportView
}

export const fakeEtag = '"fake-etag"'

/** A server with one completed export and the store of its artifact, both as a test wants them. */
export async function startFakeStore(
  release: Release,
  { body, answer = (_, __, well) => well(), view = (_, plain) => plain }: FakeStoreOptions,
): Promise<FakeStore> {
  const requests: ObjectRequest[] = []
  let views = 0
  const server = http.createServer(({ url: path = '', headers }, response) => {
    if (!path.startsWith('/object')) {
      views += 1
      response.setHeader('content-type', 'application/json')
      const plain = completedExport(body, `${url}/object?link=${views}`)
      response.end(JSON.stringify(view(views, plain)))
      return
    }
    const [, first] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? []
    const offset = first === undefined ? undefined : Number(first)
    const link = Number(path.slice('/object?link='.length))
    const request = { number: requests.length + 1, headers, link, offset }
    requests.push(request)
    answer(request, response, () => answerWell(response, body, offset))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  release(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url, client: createClient({ url }), id: completedExport(body, url).id, requests }
}

/** What a store answers: the whole, or a range of it; and of that only the first bytes, if so told. */
export function answerWell(
  response: http.ServerResponse,
  body: Buffer,
  offset: number | undefined,
  { breakAfter }: { readonly breakAfter?: number } = {},
): void {
  const rest = body.subarray(offset ?? 0)
  response.writeHead(offset === undefined ? 200 : 206, {
    etag: fakeEtag,
    'content-length': String(rest.length),
    ...(offset === undefined
      ? {}
      : { 'content-range': `bytes ${offset}-${body.length - 1}/${body.length}` }),
  })
  if (breakAfter === undefined) response.end(rest)
  else response.write(rest.subarray(0, breakAfter), () => response.destroy())
}

/** An error as S3 words it. */
export function answerError(response: http.ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<Error><Code>${code}</Code><Message>in other words</Message></Error>`)
}

const completedExport = (body: Buffer, url: string): ExportView => ({
  id: '920b8e2f-0f13-4c1b-9934-40c7abc7d003',
  state: 'completed',
  request: {
    dataset: 'services',
    time_from: '2014-07-22T12:00:00.000Z',
    time_to: '2014-07-22T18:00:00.000Z',
    filter_events: 'any',
    export_content: true,
    filter_state: 'any',
    format: 'json',
    compression: 'none',
  },
  progress: { rows: 1, bytes: body.length },
  attempts: [],
  attempt: 1,
  created_at: '2026-01-01T00:00:00.000Z',
  artifact: {
    url,
    url_expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    key: 'exports/920b8e2f/1/services.json',
    bytes: body.length,
    rows: 1,
    sha256: sha256(body),
    content_type: 'application/json',
    raw_bytes: body.length,
    raw_sha256: sha256(body),
  },
})
