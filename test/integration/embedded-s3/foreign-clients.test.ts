import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  NotFound,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { expect, it } from 'vitest'
import { describeWith } from '../../support/describe-with.ts'
import { until } from '../../support/until.ts'
import {
  awsCommands,
  createForeignClient,
  missingClient,
  s3cmdCommands,
  type ForeignCommands,
} from './foreign-client.ts'
import { bucket as Bucket, MiB, noise, setup } from './setup.ts'

/** Of everything that one of two sides may encode otherwise than the other. */
const Key = "a b+c/ünï-日本 &=?%20'q~.json"

/**
 * What the SDK and the server agree on could be wrong in both: these clients sign, encode and parse with
 * code of their own.
 */
function suite(name: 's3cmd' | 'aws', commands: ForeignCommands): void {
  async function setupClient() {
    const { server, client: sdk } = await setup()
    const client = await createForeignClient(name, server.url)
    const write = (file: string, bytes: Buffer) => writeFile(join(client.folder, file), bytes)
    const read = (file: string) => readFile(join(client.folder, file))
    return { ...client, server, sdk, write, read }
  }

  it('puts, lists, gets and deletes an object', async () => {
    const { run, write, read, sdk } = await setupClient()
    const bytes = noise(100_000)
    await write('sent', bytes)
    await run(commands.put('sent', Key))
    expect(await run(commands.list())).toContain(`100000 ${listed(name, Key)}\n`)
    await run(commands.get(Key, 'got'))
    expect(bytes.equals(await read('got'))).toBe(true)
    await run(commands.remove(Key))
    const head = sdk.send(new HeadObjectCommand({ Bucket, Key }))
    await expect(head).rejects.toBeInstanceOf(NotFound)
  })

  it('uploads in parts', async () => {
    const { run, write, read, sdk } = await setupClient()
    const bytes = noise(17 * MiB + 1)
    await write('sent', bytes)
    await run(commands.putInParts('sent', Key))
    const { ETag, ContentLength } = await sdk.send(new HeadObjectCommand({ Bucket, Key }))
    expect(ETag).toMatch(/-[34]"$/)
    expect(ContentLength).toBe(bytes.length)
    await run(commands.get(Key, 'got'))
    expect(bytes.equals(await read('got'))).toBe(true)
  })

  it('gets a range', async () => {
    const { run, write, read } = await setupClient()
    const bytes = noise(100_000)
    await write('sent', bytes)
    await run(commands.put('sent', Key))
    await write('got', bytes.subarray(0, 60_000))
    await run(commands.getRest(Key, 'got', 60_000))
    const got = await read('got')
    expect(bytes.subarray(-got.length).equals(got)).toBe(true)
    expect(got.length).toBe(name === 'aws' ? 40_000 : 100_000)
  })

  it('finds an open upload and its parts, and aborts it', async () => {
    const { run, sdk } = await setupClient()
    const { UploadId } = await sdk.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const part = { Bucket, Key, UploadId, PartNumber: 7, Body: noise(54_321) }
    await sdk.send(new UploadPartCommand(part))
    const uploads = await run(commands.listUploads())
    expect(uploads).toContain(UploadId)
    expect(uploads).toContain(Key)
    expect(await run(commands.listParts(Key, UploadId!))).toContain('54321')
    await run(commands.abort(Key, UploadId!))
    expect(await run(commands.listUploads())).not.toContain(UploadId)
    await run(commands.listParts(Key, UploadId!), 'failure')
  })

  it('is refused with a wrong secret', async () => {
    const { server } = await setupClient()
    const stranger = await createForeignClient(name, server.url, 'guess')
    const said = await stranger.run(commands.list(), 'failure')
    expect(said).toContain('SignatureDoesNotMatch')
  })
}

/** s3cmd shows addresses, aws keys. */
const listed = (name: 's3cmd' | 'aws', key: string) =>
  name === 's3cmd' ? ` s3://${Bucket}/${key}` : key

describeWith('s3cmd', await missingClient('s3cmd'), 'a client that is s3cmd', () => {
  suite('s3cmd', s3cmdCommands)
})

describeWith('aws', await missingClient('aws'), 'a client that is the AWS command line', () => {
  suite('aws', awsCommands)

  it('signs a link, which holds for its object and its time', async () => {
    const { server } = await setup()
    const { run, folder } = await createForeignClient('aws', server.url)
    await writeFile(join(folder, 'sent'), '0123456789')
    await run(awsCommands.put('sent', Key))
    const presign = async (seconds: number) => {
      const address = `s3://${Bucket}/${Key}`
      return (await run(['s3', 'presign', address, '--expires-in', String(seconds)])).trim()
    }
    const url = await presign(600)
    const response = await fetch(url, { headers: { range: 'bytes=3-4' } })
    expect([response.status, await response.text()]).toEqual([206, '34'])
    expect((await fetch(url.replace('.json', '.jso'))).status).toBe(403)
    expect((await fetch(url.replace('Expires=600', 'Expires=601'))).status).toBe(403)
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403)
    const short = await presign(1)
    await until(async () => (await fetch(short)).status === 403, { what: 'the link to end' })
  })
})
