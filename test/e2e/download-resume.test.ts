import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { download } from '../../src/client/download.ts'
import { startServer } from '../../src/compose.ts'
import type { ExportView } from '../../src/http/schemas.ts'
import { createLogger } from '../../src/logger.ts'
import { seedServices } from '../../src/postgres/seed/seed-services.ts'
import { MiB } from '../../src/runtime/units.ts'
import { sha256 } from '../support/chunks.ts'
import { createFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { createFolder, jsonOf, runCli } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const july = { time_from: '2014-07-01T00:00:00.000Z', time_to: '2014-08-01T00:00:00.000Z' }
const linkSeconds = 2

let proxy: FaultProxy
let system: TestSystem
let view: ExportView
let stored: Buffer

/** All of server, worker and client reach the store through the proxy, which links therefore name. */
const release = releaseAfterAll()
beforeAll(async () => {
  proxy = await createFaultProxy(inject('stack').S3_ENDPOINT, release)
  system = await startTestSystem(release, { environment: { S3_ENDPOINT: proxy.url } })
  const connection = await system.database.pool.connect()
  await seedServices(connection, { services: 3000, seed: 1 }).finally(() => connection.release())
  const { id } = await system.client.request({ ...july, export_content: true })
  view = await system.client.wait(id)
  stored = await readStored()
})

async function readStored(): Promise<Buffer> {
  const { client, settings } = system.bucket
  const where = { Bucket: settings.bucket, Key: view.artifact!.key }
  const { Body } = await client.send(new GetObjectCommand(where))
  return Buffer.from(await Body!.transformToByteArray())
}

async function setupFile() {
  const folder = await createFolder(onTestFinished)
  return { folder, file: join(folder, 'mine.json') }
}

/** Puts other bytes in the place of the artifact. */
async function replace(Body: Buffer) {
  const { client, settings } = system.bucket
  const where = { Bucket: settings.bucket, Key: view.artifact!.key }
  await client.send(new PutObjectCommand({ ...where, Body }))
}

/** Puts the same bytes in its place, by an upload that gives them another ETag. */
async function replaceBySame() {
  const { client, settings } = system.bucket
  const where = { Bucket: settings.bucket, Key: view.artifact!.key }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(where))
  const part = { ...where, UploadId, PartNumber: 1, Body: stored }
  const { ETag } = await client.send(new UploadPartCommand(part))
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
  await client.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload }))
}

describe('a download through a proxy', () => {
  it('that cuts the connection ten times ends with the right digest', async () => {
    const { folder, file } = await setupFile()
    expect(stored.length).toBeGreaterThan(5 * MiB)
    const afterBytes = Math.floor(stored.length / 12)
    proxy.plan((connection) => (connection > 10 ? undefined : { afterBytes, then: 'drop' }))
    const received = await system.client.download(view.id, { file, pauseMs: 5 })
    const { bytes, sha256: digest } = view.artifact!
    expect(received).toEqual({ file, bytes, sha256: digest })
    expect(sha256(await readFile(file))).toBe(digest)
    expect(proxy.connections()).toBe(11)
    expect(await readdir(folder)).toEqual(['mine.json'])
  })

  it('that cuts it ends well for the command line, too', async () => {
    const { folder, file } = await setupFile()
    proxy.plan((connection) => (connection > 2 ? undefined : { afterBytes: MiB, then: 'drop' }))
    const env = { LONGHAUL_URL: system.url }
    const result = await runCli(['download', view.id, '--json', '--output', file], { env })
    expect([result.code, result.stderr]).toEqual([0, ''])
    expect(jsonOf(result)).toMatchObject({ sha256: view.artifact!.sha256 })
    expect(sha256(await readFile(file))).toBe(view.artifact!.sha256)
    expect(proxy.connections()).toBe(3)
    expect(await readdir(folder)).toEqual(['mine.json'])
  })

  it('that falls silent goes on by another connection', async () => {
    const { file } = await setupFile()
    proxy.plan((connection) => (connection > 1 ? undefined : { afterBytes: MiB, then: 'stall' }))
    await system.client.download(view.id, { file, pauseMs: 5, silenceMs: 300 })
    expect(sha256(await readFile(file))).toBe(view.artifact!.sha256)
    expect(proxy.connections()).toBeGreaterThan(1)
  })
})

describe('a link that ends in the middle of a download', () => {
  /** Cuts the first connection; the pause after that outlasts the link. */
  async function downloadSlowly(clockBehindMs: number) {
    const { file } = await setupFile()
    const config = { ...system.config, linkTtlSeconds: linkSeconds }
    const server = await startServer(config, createLogger({ level: 'silent' }))
    onTestFinished(() => server.stop())
    const client = createClient({ url: server.url })
    proxy.plan((connection) => (connection > 1 ? undefined : { afterBytes: MiB, then: 'drop' }))
    let asked = 0
    const askStatus = async (): Promise<ExportView> => {
      asked += 1
      const { artifact, ...others } = await client.status(view.id)
      const end = new Date(Date.parse(artifact!.url_expires_at) + clockBehindMs).toISOString()
      return { ...others, artifact: { ...artifact!, url_expires_at: end } }
    }
    await download(askStatus, { file, pauseMs: linkSeconds * 1000 + 100 })
    expect(sha256(await readFile(file))).toBe(view.artifact!.sha256)
    return asked
  }

  it('is replaced before it is used', async () => {
    expect(await downloadSlowly(0)).toBe(2)
  })

  it('is replaced once the store has refused it, where the clock of the client is behind', async () => {
    expect(await downloadSlowly(3_600_000)).toBe(2)
  })
})

describe('an object that is replaced between two ranges', () => {
  /** Cuts the first connection, and replaces the object before the second. */
  const replacing = (work: () => Promise<void>) =>
    proxy.plan(async (connection) => {
      if (connection === 1) return { afterBytes: MiB, then: 'drop' }
      if (connection === 2) await work()
      return undefined
    })

  it('by the same bytes is downloaded again from zero', async () => {
    const { file } = await setupFile()
    onTestFinished(() => replace(stored))
    replacing(replaceBySame)
    const seen: number[] = []
    const onProgress = ({ bytes }: { bytes: number }) => seen.push(bytes)
    await system.client.download(view.id, { file, pauseMs: 5, onProgress })
    expect(sha256(await readFile(file))).toBe(view.artifact!.sha256)
    // it fell back once
    expect(seen.filter((bytes, i) => bytes < (seen[i - 1] ?? 0))).toHaveLength(1)
  })

  it('by others of the same size is no longer the artifact: no file', async () => {
    const { folder, file } = await setupFile()
    await writeFile(file, 'what was there before')
    onTestFinished(() => replace(stored))
    replacing(() => replace(Buffer.alloc(stored.length, 'x')))
    const failing = system.client.download(view.id, { file, pauseMs: 5 })
    await expect(failing).rejects.toMatchObject({ code: 'DOWNLOAD_CORRUPT' })
    expect(await readdir(folder)).toEqual(['mine.json'])
    expect(await readFile(file, 'utf8')).toBe('what was there before')
  })
})
