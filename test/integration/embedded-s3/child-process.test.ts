import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { accessKeyId, clientOf, noise, secretAccessKey, setup, temporaryFolder } from './setup.ts'

const main = join(import.meta.dirname, '../../../dist/src/embedded/s3/main.js')

function forkMain(): { child: ChildProcess; stderr: () => string } {
  const child = fork(main, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return { child, stderr: () => stderr }
}

async function start(child: ChildProcess, dir: string): Promise<unknown> {
  child.send({ type: 'start', options: { dir, accessKeyId, secretAccessKey } })
  const [message] = (await once(child, 'message')) as unknown[]
  return message
}

describe.skipIf(!existsSync(main))('the server as a child process', () => {
  it('serves, says what it is for, and keeps its keys out of its arguments', async () => {
    const { child, stderr } = forkMain()
    const ready = (await start(child, temporaryFolder())) as { type: string; port: number }
    expect(ready.type).toBe('ready')
    const client = clientOf(`http://127.0.0.1:${ready.port}`)
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }))
    await expect.poll(stderr).toMatch(/for trying out and testing, never for production/)
    expect(child.spawnargs.join(' ')).not.toContain(secretAccessKey)
  })

  it('ends when the channel to its parent closes', async () => {
    const { child } = forkMain()
    await start(child, temporaryFolder())
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('ends when the channel closes before it was started', async () => {
    const { child } = forkMain()
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('outlives Ctrl-C and ends on SIGTERM', async () => {
    const { child } = forkMain()
    const ready = (await start(child, temporaryFolder())) as { port: number }
    child.kill('SIGINT')
    const client = clientOf(`http://127.0.0.1:${ready.port}`)
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }))
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('has every object that it confirmed, and no bytes besides, after SIGKILL', async () => {
    const dir = temporaryFolder()
    const { child } = forkMain()
    const ready = (await start(child, dir)) as { port: number }
    const client = clientOf(`http://127.0.0.1:${ready.port}`)
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }))
    const exit = once(child, 'exit')
    const confirmed = new Map<string, string>()
    const puts = Array.from({ length: 60 }, async (_, n) => {
      const put = { Bucket: 'bucket', Key: `k${n}`, Body: noise(200_000) }
      const { ETag } = await client.send(new PutObjectCommand(put))
      confirmed.set(put.Key, ETag!)
      if (confirmed.size === 20) child.kill('SIGKILL')
    })
    await Promise.allSettled([...puts, exit])
    const { client: next, blobs } = await setup({ dir, makeBucket: false })
    const { Contents = [] } = await next.send(new ListObjectsV2Command({ Bucket: 'bucket' }))
    const found = new Map(Contents.map(({ Key, ETag }) => [Key!, ETag!]))
    expect([...found]).toEqual(expect.arrayContaining([...confirmed]))
    for (const [Key, ETag] of found) {
      const got = await next.send(new GetObjectCommand({ Bucket: 'bucket', Key }))
      const bytes = await got.Body!.transformToByteArray()
      expect(`"${createHash('md5').update(bytes).digest('hex')}"`).toBe(ETag)
    }
    expect(blobs()).toHaveLength(found.size)
  })

  it('tells why it cannot start', async () => {
    const { child } = forkMain()
    expect(await start(child, '/dev/null/data')).toMatchObject({ type: 'failed' })
    expect(await once(child, 'exit')).toEqual([1, null])
  })
})
