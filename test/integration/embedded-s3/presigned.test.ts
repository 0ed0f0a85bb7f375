import { GetObjectCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { describe, expect, it } from 'vitest'
import { bucket as Bucket, setup } from './setup.ts'

const Key = 'exports/a b/naïve.json'
const get = new GetObjectCommand({ Bucket, Key })

async function code(response: Response): Promise<string | undefined> {
  return /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1]
}

async function setupObject() {
  const bundle = await setup()
  await bundle.client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))
  return bundle
}

describe('a presigned link', () => {
  it('is followed without credentials, and says how the file is to be saved', async () => {
    const { client } = await setupObject()
    const url = await getSignedUrl(
      client,
      new GetObjectCommand({
        Bucket,
        Key,
        ResponseContentDisposition: 'attachment; filename="services.json"',
        ResponseContentType: 'application/json',
        ResponseCacheControl: 'private',
      }),
      { expiresIn: 60 },
    )
    const response = await fetch(url)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="services.json"')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('private')
    expect(await response.text()).toBe('0123456789')
    const part = await fetch(url, { headers: { range: 'bytes=3-4' } })
    expect([part.status, await part.text()]).toEqual([206, '34'])
  })

  it('expires', async () => {
    const { client } = await setupObject()
    const signedAt = (secondsAgo: number) =>
      getSignedUrl(client, get, {
        expiresIn: 60,
        signingDate: new Date(Date.now() - secondsAgo * 1000),
      })
    expect((await fetch(await signedAt(50))).status).toBe(200)
    const late = await fetch(await signedAt(61))
    const text = await late.text()
    expect(late.status).toBe(403)
    expect(text).toContain('<Code>AccessDenied</Code><Message>Request has expired</Message>')
    const early = await fetch(await signedAt(-1000))
    expect([early.status, await code(early)]).toEqual([403, 'AccessDenied'])
  })

  it('is of no use for another object, another end or another method', async () => {
    const { client } = await setupObject()
    const url = await getSignedUrl(client, get, { expiresIn: 60 })
    const changed = [
      url.replace('exports', 'secrets'),
      url.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000'),
      `${url}&response-content-type=text/html`,
      url.replace(/Signature=./, (start) => start.slice(0, -1) + (start.endsWith('0') ? '1' : '0')),
    ]
    for (const each of changed) {
      const response = await fetch(each)
      expect([response.status, await code(response)]).toEqual([403, 'SignatureDoesNotMatch'])
    }
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403)
  })

  it('lives seven days at most, and at least a second', async () => {
    const { client } = await setupObject()
    const url = await getSignedUrl(client, get, { expiresIn: 604_800 })
    expect((await fetch(url)).status).toBe(200)
    for (const seconds of ['0', '604801', '-1', 'x']) {
      const response = await fetch(url.replace('Expires=604800', `Expires=${seconds}`))
      expect([response.status, await code(response)]).toEqual([
        400,
        'AuthorizationQueryParametersError',
      ])
    }
  })

  it('may be for an upload', async () => {
    const { client } = await setupObject()
    const put = new PutObjectCommand({ Bucket, Key: 'up' })
    const url = await getSignedUrl(client, put, { expiresIn: 60 })
    const withoutChecksum = new URL(url)
    expect(withoutChecksum.searchParams.get('X-Amz-SignedHeaders')).toBe('host')
    const response = await fetch(url, { method: 'PUT', body: 'sent by a browser' })
    expect(response.status).toBe(200)
    const part = new UploadPartCommand({ Bucket, Key, UploadId: 'none', PartNumber: 1 })
    const lost = await fetch(await getSignedUrl(client, part), { method: 'PUT', body: 'x' })
    expect([lost.status, await code(lost)]).toEqual([404, 'NoSuchUpload'])
  })
})
