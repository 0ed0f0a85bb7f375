import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { onTestFinished } from 'vitest'
import {
  canonicalRequest,
  scopeText,
  signatureOf,
  signingKey,
  stringToSign,
} from '../../../src/embedded/s3/signature.ts'
import { startS3Server } from '../../../src/embedded/s3/server.ts'

export const accessKeyId = 'test-key'
export const secretAccessKey = 'test-secret'
export const region = 'us-east-1'
export const bucket = 'bucket'
export const MiB = 1024 ** 2

export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'embedded-s3-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A server over a folder, and a client with a bucket; all of it ends with the test. */
export async function setup({ dir = temporaryFolder(), makeBucket = true } = {}) {
  const server = await startS3Server({ dir, region, accessKeyId, secretAccessKey })
  onTestFinished(() => server.close())
  const client = clientOf(server.url)
  if (makeBucket) await client.send(new CreateBucketCommand({ Bucket: bucket }))
  const blobs = () => readdirSync(join(dir, 'blobs'))
  return { dir, server, client, blobs }
}

export function clientOf(endpoint: string, config: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
    ...config,
  })
  onTestFinished(() => client.destroy())
  return client
}

export interface RawRequest {
  readonly method?: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: Buffer | string
  readonly payloadHash?: string
  readonly date?: Date
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The headers of a request signed by hand, and what a body signed chunk by chunk goes on from. */
export function sign(url: string, raw: RawRequest) {
  const { method = 'GET', path, body = '' } = raw
  const [rawPath = '', search = ''] = path.split('?')
  const timestamp = (raw.date ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = { date: timestamp.slice(0, 8), region, service: 's3' }
  const payloadHash = raw.payloadHash ?? createHash('sha256').update(body).digest('hex')
  const headers: Record<string, string> = {
    host: new URL(url).host,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': payloadHash,
    ...raw.headers,
  }
  const names = Object.keys(headers).sort()
  const canonical = canonicalRequest(
    {
      method,
      path: decodeURIComponent(rawPath),
      query: new URLSearchParams(search),
      headers: Object.fromEntries(names.map((name) => [name, [headers[name]!]])),
    },
    names,
    payloadHash,
  )
  const key = signingKey(raw.secretAccessKey ?? secretAccessKey, scope)
  const signature = signatureOf(key, stringToSign(timestamp, scope, canonical))
  const credential = `${raw.accessKeyId ?? accessKeyId}/${scopeText(scope)}`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { headers: { ...headers, authorization }, signature, timestamp, scope, signingKey: key }
}

/** Sends exactly this path and these headers: fetch would tidy the path. */
export function send(
  url: string,
  { method = 'GET', path, headers, body }: RawRequest,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const request = httpRequest({ hostname, port, method, path, headers, agent: false })
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    request.end(body)
  })
}

export function sendSigned(url: string, raw: RawRequest): Promise<RawAnswer> {
  return send(url, { ...raw, headers: sign(url, raw).headers })
}

/** The code of an error document. */
export function codeOf(answer: RawAnswer): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(answer.text)?.[1]
}

/** Waits for a condition, and fails with the test's own time limit when it never comes true. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Bytes that no compression or luck makes alike. */
export function noise(bytes: number): Buffer {
  return randomBytes(bytes)
}
