import type { EventFilter, StateFilter } from '../datasets/dataset.ts'
import type { Compression } from '../encode/compression.ts'
import type { Format } from '../encode/format.ts'
import type { ExportView } from '../http/schemas.ts'
import { createCaller } from './call.ts'
import { download, type Downloaded, type DownloadOptions } from './download.ts'
import { waitForEnd, type WaitOptions } from './wait.ts'

export { ClientError } from '../errors.ts'
export type { ExportView } from '../http/schemas.ts'
export type { Downloaded, DownloadOptions, DownloadProgress } from './download.ts'
export type { WaitOptions } from './wait.ts'

export interface ClientOptions {
  /** Of the server, such as `http://127.0.0.1:8080`. */
  readonly url: string
  /** Sent as `Authorization: Bearer …`. */
  readonly apiKey?: string | undefined
}

/** The body of `POST /exports`. Times are RFC 3339 with an offset; the range is `[time_from, time_to)`. */
export interface ExportRequestBody {
  /** Default `services`. */
  readonly dataset?: string
  readonly time_from: string
  /** Default: the moment the request is accepted. */
  readonly time_to?: string
  /** Default `any`. */
  readonly filter_events?: EventFilter
  /** Whole services instead of their ids. Default false. */
  readonly export_content?: boolean
  /** Default `any`; anything else needs `export_content`. */
  readonly filter_state?: StateFilter
  /** Of the artifact: one array, or a line for each element. Default `json`. */
  readonly format?: Format
  /** Of the artifact. Default `none`. */
  readonly compression?: Compression
}

export interface RequestOptions {
  /** The same key with the same request never makes two exports, however often it is sent. */
  readonly idempotencyKey?: string | undefined
}

export interface ExportList {
  /** Newest first. */
  readonly exports: readonly ExportView[]
  /** For the next page; null on the last one. */
  readonly next_cursor: string | null
}

export interface ListQuery {
  readonly state?: string | undefined
  /** 1 to 100; default 20. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** The HTTP interface as functions. All of them throw ClientErrors with the server's own code. */
export interface Client {
  request(body: ExportRequestBody, options?: RequestOptions): Promise<ExportView>
  status(id: string): Promise<ExportView>
  list(query?: ListQuery): Promise<ExportList>
  /** Ends a queued or running export; canceling it again is harmless. */
  cancel(id: string): Promise<ExportView>
  /** Returns when the export has finished, however it did: look at its `state`. */
  wait(id: string, options?: WaitOptions): Promise<ExportView>
  /** Puts the verified artifact into a file: see {@link download}. */
  download(id: string, options: DownloadOptions): Promise<Downloaded>
}

/** Talks to a Longhaul server by fetch; needs neither database nor queue. */
export function createClient({ url, apiKey }: ClientOptions): Client {
  const call = createCaller({ url, apiKey })
  const path = (id: string) => `/exports/${encodeURIComponent(id)}`
  const status = (id: string, signal?: AbortSignal) =>
    call.json<ExportView>('GET', path(id), signal === undefined ? {} : { signal })
  return {
    request: async (body, { idempotencyKey } = {}) =>
      call.json('POST', '/exports', {
        body: JSON.stringify(body),
        headers: {
          'content-type': 'application/json',
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
      }),
    status: (id) => status(id),
    list(query = {}) {
      const given = Object.entries(query as Record<string, string | number | undefined>)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]): [string, string] => [name, String(value)])
      return call.json('GET', `/exports?${new URLSearchParams(given).toString()}`)
    },
    cancel: (id) => call.json('POST', `${path(id)}/cancel`),
    download: (id, options) => download((signal) => status(id, signal), options),
    wait: (id, options = {}) => waitForEnd(call, path(id), { id, url, ...options }),
  }
}
