import http from 'node:http'
import { gunzipSync } from 'node:zlib'

export const streamPath = '/genesys/1/cs/maintenance/services/stream'

export interface StreamRead {
  readonly headers: http.IncomingHttpHeaders
  /** Uncompressed. */
  readonly body: Buffer
}

export const streamQuery = (parameters: Readonly<Record<string, unknown>>): string =>
  `${streamPath}?${new URLSearchParams(
    Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()}`

/** Asks for a synchronous stream, and resolves when its headers are there: nothing is read yet. */
export function openStream(
  base: string,
  parameters: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http
      .get(`${base}${streamQuery(parameters)}`, { headers, agent: false }, resolve)
      .on('error', reject)
  })
}

/** Reads a whole stream. @throws when it breaks off, as node:http sees it */
export async function readStream(
  base: string,
  parameters: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<StreamRead> {
  const response = await openStream(base, parameters, headers)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  if (response.statusCode !== 200) throw new Error(`${response.statusCode ?? 0}: ${String(body)}`)
  const zipped = response.headers['content-encoding'] === 'gzip'
  return { headers: response.headers, body: zipped ? gunzipSync(body) : body }
}
