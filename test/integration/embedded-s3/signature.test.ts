import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../src/embedded/s3/authenticate.ts'
import { bucket, codeOf, send, sendSigned, setup, sign, type RawRequest } from './setup.ts'

/** AWS's published examples: "Signature calculations for the Authorization header", Amazon S3 API Reference. */
describe("AWS's own examples of signatures", () => {
  const account = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
  }
  const scope = '20130524/us-east-1/s3/aws4_request'
  const now = new Date('2013-05-24T00:00:00Z')
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const base = {
    host: ['examplebucket.s3.amazonaws.com'],
    'x-amz-date': ['20130524T000000Z'],
    'x-amz-content-sha256': [empty],
  }

  function check(
    example: {
      method?: string
      path?: string
      query?: string
      headers?: Record<string, string[]>
    },
    signature: string,
  ) {
    const headers: Record<string, string[]> = { ...base, ...example.headers }
    const names = Object.keys(headers).sort().join(';')
    const authorization = `AWS4-HMAC-SHA256 Credential=${account.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`
    return authenticate(
      {
        method: example.method ?? 'GET',
        path: example.path ?? '/',
        query: new URLSearchParams(example.query),
        headers: { ...headers, authorization: [authorization] },
      },
      account,
      now,
    ).signature
  }

  it.each([
    [
      'GET of a range',
      { path: '/test.txt', headers: { range: ['bytes=0-9'] } },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT of a key with a dollar sign',
      {
        method: 'PUT',
        path: '/test$file.text',
        headers: {
          date: ['Fri, 24 May 2013 00:00:00 GMT'],
          'x-amz-storage-class': ['REDUCED_REDUNDANCY'],
          'x-amz-content-sha256': [
            '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
          ],
        },
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      'GET of a parameter without a value',
      { query: 'lifecycle' },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      'GET of a listing',
      { query: 'max-keys=2&prefix=J' },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ])('hold: %s', (_, example, signature) => {
    expect(check(example, signature)).toBe(signature)
  })

  it('hold: a presigned GET, until it expires', () => {
    const signature = 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404'
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${account.accessKeyId}/${scope}`,
      'X-Amz-Date': '20130524T000000Z',
      'X-Amz-Expires': '86400',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': signature,
    })
    const request = { method: 'GET', path: '/test.txt', query, headers: { host: base.host } }
    const lastSecond = new Date('2013-05-24T23:59:59Z')
    expect(authenticate(request, account, lastSecond).signature).toBe(signature)
    const end = new Date('2013-05-25T00:00:00Z')
    expect(() => authenticate(request, account, end)).toThrow('Request has expired')
  })
})

describe('a request', () => {
  const path = `/${bucket}?list-type=2`
  const minuteMs = 60_000

  async function refusal(raw: Partial<RawRequest>) {
    const { server } = await setup()
    const answer = await sendSigned(server.url, { path, ...raw })
    return { status: answer.status, code: codeOf(answer), text: answer.text }
  }

  it('is refused without a signature, and with half of one', async () => {
    const { server } = await setup()
    const unsigned = await send(server.url, { path })
    expect([unsigned.status, codeOf(unsigned)]).toEqual([403, 'AccessDenied'])
    expect(unsigned.headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/)
    expect(unsigned.text).toContain(`<Resource>/${bucket}</Resource>`)
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=x' }
    const half = await send(server.url, { path, headers })
    expect([half.status, codeOf(half)]).toEqual([400, 'AuthorizationHeaderMalformed'])
    const old = await send(server.url, { path: `${path}&AWSAccessKeyId=x&Signature=y` })
    expect([old.status, codeOf(old)]).toEqual([400, 'InvalidRequest'])
  })

  it('is refused for an unknown key or a wrong secret', async () => {
    expect(await refusal({ accessKeyId: 'nobody' })).toMatchObject({
      status: 403,
      code: 'InvalidAccessKeyId',
    })
    expect(await refusal({ secretAccessKey: 'guess' })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    })
  })

  it('is refused when its clock is off by more than 15 minutes', async () => {
    const at = (minutes: number) => ({ date: new Date(Date.now() + minutes * minuteMs) })
    for (const minutes of [-16, 16]) {
      expect(await refusal(at(minutes))).toMatchObject({
        status: 403,
        code: 'RequestTimeTooSkewed',
      })
    }
    expect(await refusal(at(-14))).toMatchObject({ status: 200 })
  })

  it('is refused when anything that is signed has changed', async () => {
    const { server } = await setup()
    const { headers } = sign(server.url, { path, headers: { 'x-amz-meta-a': '1' } })
    const changed = [
      { path: `${path}&prefix=x`, headers },
      { path: `/${bucket}x?list-type=2`, headers },
      { method: 'HEAD', path, headers },
      { path, headers: { ...headers, 'x-amz-meta-a': '2' } },
    ]
    expect((await send(server.url, { path, headers })).status).toBe(200)
    for (const request of changed) {
      const answer = await send(server.url, request)
      expect(answer.status).toBe(403)
      if (request.method !== 'HEAD') expect(codeOf(answer)).toBe('SignatureDoesNotMatch')
      else expect(answer.text).toBe('')
    }
  })

  it('is refused when a header of S3 was added to it', async () => {
    const { server } = await setup()
    const { headers } = sign(server.url, { path })
    const answer = await send(server.url, { path, headers: { ...headers, 'x-amz-meta-a': '1' } })
    expect([answer.status, codeOf(answer)]).toEqual([403, 'AccessDenied'])
    expect(answer.text).toContain('<HeadersNotSigned>x-amz-meta-a</HeadersNotSigned>')
  })

  it('is refused when its body is not the one that was signed', async () => {
    const { server, blobs } = await setup()
    const put = { method: 'PUT', path: `/${bucket}/k` }
    const { headers } = sign(server.url, { ...put, body: 'honest' })
    const answer = await send(server.url, { ...put, headers, body: 'forged' })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'XAmzContentSHA256Mismatch'])
    expect(blobs()).toEqual([])
    const unsigned = { ...put, body: 'anything', payloadHash: 'UNSIGNED-PAYLOAD' }
    expect((await sendSigned(server.url, unsigned)).status).toBe(200)
    const nonsense = await sendSigned(server.url, { ...unsigned, payloadHash: 'nonsense' })
    expect([nonsense.status, codeOf(nonsense)]).toEqual([400, 'InvalidArgument'])
  })

  it('is refused for a path that is no UTF-8', async () => {
    const { server } = await setup()
    const answer = await send(server.url, { path: '/bucket/%ff' })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'InvalidURI'])
  })
})
