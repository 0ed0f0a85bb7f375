import { createHash } from 'node:crypto'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { decodeAwsChunked } from '../../../src/embedded/s3/chunked-body.ts'
import { createCrc } from '../../../src/embedded/s3/crc.ts'
import { scopeText, signatureOf, signingKey } from '../../../src/embedded/s3/signature.ts'
import { bucket as Bucket, codeOf, send, setup, sign } from './setup.ts'

// eslint-disable-next-line @typescript-eslint/require-await
async function* inPieces(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

async function decode(body: Buffer, pieceBytes: number, signedBy?: ReturnType<typeof example>) {
  const trailers = new Map<string, string>()
  const chunks: Buffer[] = []
  const decoded = decodeAwsChunked(inPieces(body, pieceBytes), { signedBy, trailers })
  for await (const chunk of decoded) chunks.push(Buffer.from(chunk))
  return { bytes: Buffer.concat(chunks), trailers }
}

/** The request of AWS's examples "Transferring payload in multiple chunks". */
function example(seed: string) {
  const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
  return {
    payloadHash: '',
    signature: seed,
    timestamp: '20130524T000000Z',
    scope,
    signingKey: signingKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', scope),
  }
}

function exampleBody([first, second, last]: readonly string[], trailer = ''): Buffer {
  return Buffer.from(
    `10000;chunk-signature=${first}\r\n${'a'.repeat(65_536)}\r\n` +
      `400;chunk-signature=${second}\r\n${'a'.repeat(1024)}\r\n` +
      `0;chunk-signature=${last}\r\n${trailer}\r\n`,
  )
}

const signed = {
  seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
  chunks: [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ],
}

const withTrailer = {
  seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
  chunks: [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ],
  trailer:
    'x-amz-checksum-crc32c:sOO8/Q==\r\n' +
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n',
}

describe('the aws-chunked framing', () => {
  it.each([1, 7, 1000, 100_000])(
    'of AWS’s signed example is read in pieces of %i',
    async (size) => {
      const { bytes } = await decode(exampleBody(signed.chunks), size, example(signed.seed))
      expect(bytes.equals(Buffer.alloc(66_560, 'a'))).toBe(true)
    },
  )

  it('of AWS’s example with a trailer is read, and the trailer with it', async () => {
    const body = exampleBody(withTrailer.chunks, withTrailer.trailer)
    const { bytes, trailers } = await decode(body, 1000, example(withTrailer.seed))
    expect(bytes).toHaveLength(66_560)
    expect([...trailers]).toEqual([['x-amz-checksum-crc32c', 'sOO8/Q==']])
    const crc = createCrc('CRC32C')
    crc.update(bytes)
    expect(crc.digest().toString('base64')).toBe('sOO8/Q==')
  })

  it('does not hold when a byte or the order of chunks has changed', async () => {
    const body = exampleBody(signed.chunks)
    body[70_000 - 4000] = 'b'.charCodeAt(0)
    const refused = { code: 'SignatureDoesNotMatch' }
    await expect(decode(body, 1000, example(signed.seed))).rejects.toMatchObject(refused)
    const unsigned = Buffer.from('3\r\nabc\r\n0\r\n\r\n')
    await expect(decode(unsigned, 5, example(signed.seed))).rejects.toMatchObject(refused)
    expect((await decode(unsigned, 5)).bytes.toString()).toBe('abc')
  })

  it.each([
    '3\r\nab',
    '3\r\nabc',
    '3\r\nabc\r\n',
    '3\r\nabcd\r\n0\r\n\r\n',
    'xyz\r\n',
    '',
    '0'.repeat(10_000),
  ])('is refused when it is broken: %j', async (body) => {
    await expect(decode(Buffer.from(body), 3)).rejects.toMatchObject({ code: 'IncompleteBody' })
  })
})

describe('an upload signed chunk by chunk', () => {
  const put = { method: 'PUT', path: `/${Bucket}/k` }
  const data = Buffer.from('some bytes of an object')

  /** One chunk and the last, each signed on from the one before, then a signed trailer. */
  function signedUpload(url: string, crc32: string) {
    const payloadHash = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
    const headers = {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(data.length),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    }
    const request = sign(url, { ...put, headers, payloadHash })
    const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')
    let previous = request.signature
    const next = (kind: string, ...digests: string[]) => {
      const { timestamp, scope } = request
      const lines = [`AWS4-HMAC-SHA256-${kind}`, timestamp, scopeText(scope), previous, ...digests]
      previous = signatureOf(request.signingKey, lines.join('\n'))
      return previous
    }
    const trailer = `x-amz-checksum-crc32:${crc32}`
    const first = next('PAYLOAD', sha256(''), sha256(data))
    const last = next('PAYLOAD', sha256(''), sha256(''))
    const end = next('TRAILER', sha256(`${trailer}\n`))
    const body = Buffer.concat([
      Buffer.from(`${data.length.toString(16)};chunk-signature=${first}\r\n`),
      data,
      Buffer.from(`\r\n0;chunk-signature=${last}\r\n${trailer}\r\n`),
      Buffer.from(`x-amz-trailer-signature:${end}\r\n\r\n`),
    ])
    return { ...put, headers: request.headers, body }
  }

  function crc32Of(bytes: Buffer): string {
    const crc = createCrc('CRC32')
    crc.update(bytes)
    return crc.digest().toString('base64')
  }

  it('is stored without its framing', async () => {
    const { server, client } = await setup()
    const answer = await send(server.url, signedUpload(server.url, crc32Of(data)))
    expect(answer.status).toBe(200)
    expect(answer.headers['x-amz-checksum-crc32']).toBe(crc32Of(data))
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }))
    expect(await got.Body!.transformToString()).toBe(data.toString())
  })

  it('is refused for a wrong checksum behind it, a wrong length and a changed byte', async () => {
    const { server, blobs } = await setup()
    const wrongSum = await send(server.url, signedUpload(server.url, 'AAAAAA=='))
    expect([wrongSum.status, codeOf(wrongSum)]).toEqual([400, 'BadDigest'])
    const changed = signedUpload(server.url, crc32Of(data))
    changed.body[100] = changed.body[100]! ^ 1
    const forged = await send(server.url, changed)
    expect([forged.status, codeOf(forged)]).toEqual([403, 'SignatureDoesNotMatch'])
    const short = await send(server.url, {
      ...put,
      ...sign(server.url, {
        ...put,
        headers: { 'x-amz-decoded-content-length': '4' },
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      }),
      body: '3\r\nabc\r\n0\r\n\r\n',
    })
    expect([short.status, codeOf(short)]).toEqual([400, 'IncompleteBody'])
    expect(blobs()).toEqual([])
  })
})
