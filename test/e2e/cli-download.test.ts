import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ExportView } from '../../src/http/schemas.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import type { Release } from '../support/release.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { createFolder, errorOf, jsonOf, runCli, startCli } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const whole = '["S7",\n"S1",\n"S4",\n"S2",\n"S3"]'

let system: TestSystem
let completed: ExportView

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release)
  await insertFixtureServices(system.database.pool)
  completed = await complete()
})

async function complete(): Promise<ExportView> {
  const { id } = await system.client.request({ ...fixtureRange })
  return system.client.wait(id)
}

const cli = (cwd: string, args: readonly string[], url = system.url) =>
  runCli(['download', ...args], { env: { LONGHAUL_URL: url }, cwd })

/** Puts other bytes in the place of an artifact. */
async function tamper({ artifact }: ExportView, text: string) {
  const { client, settings } = system.bucket
  const Key = artifact!.key
  await client.send(new PutObjectCommand({ Bucket: settings.bucket, Key, Body: text }))
}

describe.concurrent('longhaul download', () => {
  it("leaves the verified file under the artifact's name, or under that of --output", async ({
    onTestFinished,
  }) => {
    const cwd = await createFolder(onTestFinished)
    const [plain, json] = await Promise.all([
      cli(cwd, [completed.id]),
      cli(cwd, [completed.id, '--json', '--output', 'mine.json']),
    ])
    const name = 'services_20140722T120000Z_20140722T180000Z.json'
    expect([plain.code, plain.stderr]).toEqual([0, ''])
    expect(plain.stdout).toContain(name)
    expect(plain.stdout).toContain(completed.artifact!.sha256)
    const { sha256, bytes } = completed.artifact!
    expect(jsonOf(json)).toEqual({ file: 'mine.json', bytes, sha256 })
    expect((await readdir(cwd)).sort()).toEqual(['mine.json', name])
    for (const file of ['mine.json', name]) {
      expect(await readFile(join(cwd, file), 'utf8')).toBe(whole)
    }
  })

  it('leaves an empty file where an export in lines has none', async ({ onTestFinished }) => {
    const cwd = await createFolder(onTestFinished)
    const range = ['--from', '2001-01-01T00:00:00Z', '--to', '2001-01-02T00:00:00Z']
    const lines = [...range, '--format', 'ndjson']
    const env = { LONGHAUL_URL: system.url }
    for (const args of [
      ['--output', 'plain'],
      ['--compression', 'gzip', '--output', 'unpacked', '--gunzip'],
    ]) {
      const { code, stderr } = await runCli(['export', ...lines, ...args, '--json'], { env, cwd })
      expect([code, stderr]).toEqual([0, ''])
    }
    expect((await readdir(cwd)).sort()).toEqual(['plain', 'unpacked'])
    for (const file of ['plain', 'unpacked']) {
      expect(await readFile(join(cwd, file), 'utf8')).toBe('')
    }
  })

  it('leaves an artifact that is not packed as it is with --gunzip, also that of an export', async ({
    onTestFinished,
  }) => {
    const cwd = await createFolder(onTestFinished)
    const { time_from, time_to } = fixtureRange
    const range = ['--from', time_from, '--to', time_to]
    const [downloaded, exported] = await Promise.all([
      cli(cwd, [completed.id, '--gunzip', '--output', 'one.json']),
      runCli(['export', ...range, '--json', '--gunzip', '--output', 'two.json'], {
        env: { LONGHAUL_URL: system.url },
        cwd,
      }),
    ])
    expect([downloaded.code, exported.code, exported.stderr]).toEqual([0, 0, ''])
    for (const file of ['one.json', 'two.json']) {
      expect(await readFile(join(cwd, file), 'utf8')).toBe(whole)
    }
  })

  it.for([
    ['bytes were changed', whole.replace('S7', 'S8')],
    ['bytes are missing', whole.slice(0, -2)],
  ] as const)(
    'ends with 74 and leaves no file when %s in the bucket',
    async ([, text], { onTestFinished }) => {
      const view = await complete()
      await tamper(view, text)
      const cwd = await createFolder(onTestFinished)
      await writeFile(join(cwd, 'kept.json'), 'what was there before')
      const result = await cli(cwd, [view.id, '--json', '--output', 'kept.json'])
      expect(result.code).toBe(74)
      expect(errorOf(result).code).toBe('DOWNLOAD_CORRUPT')
      expect(errorOf(result).message).toContain(view.artifact!.sha256)
      expect(await readdir(cwd)).toEqual(['kept.json'])
      expect(await readFile(join(cwd, 'kept.json'), 'utf8')).toBe('what was there before')
    },
  )

  it('ends with 74 where it may not write, and leaves nothing there', async ({
    onTestFinished,
  }) => {
    const cwd = await createFolder(onTestFinished)
    await mkdir(join(cwd, 'folder'))
    const results = await Promise.all([
      cli(cwd, [completed.id, '--json', '--output', 'missing/file.json']),
      cli(cwd, [completed.id, '--json', '--output', 'folder']),
    ])
    for (const result of results) {
      expect(result.code).toBe(74)
      expect(errorOf(result)).toMatchObject({ code: 'FILE_NOT_WRITABLE' })
    }
    expect(await readdir(cwd)).toEqual(['folder'])
    expect(await readdir(join(cwd, 'folder'))).toEqual([])
  })

  it('ends with 11 when there is no artifact, or no more, with the code of the HTTP interface', async ({
    onTestFinished,
  }) => {
    const { id } = await complete()
    await fetch(`${system.url}/exports/${id}`, { method: 'DELETE' })
    const idle = await startTestSystem(onTestFinished, { worker: false })
    const queued = await idle.client.request({ ...fixtureRange })
    const canceled = await idle.client.request({ ...fixtureRange })
    await idle.client.cancel(canceled.id)
    const cwd = await createFolder(onTestFinished)
    const [expired, early, never, unknown] = await Promise.all([
      cli(cwd, [id, '--json']),
      cli(cwd, [queued.id, '--json'], idle.url),
      cli(cwd, [canceled.id, '--json'], idle.url),
      cli(cwd, ['no-such-id', '--json']),
    ])
    expect(await readdir(cwd)).toEqual([])
    expect(unknown.code).toBe(10)
    expect([expired.code, early.code, never.code]).toEqual([11, 11, 11])
    // who repeats on EXPORT_NOT_READY would wait for ever for an artifact that is gone
    expect([expired, early, never].map((result) => errorOf(result).code)).toEqual([
      'EXPORT_EXPIRED',
      'EXPORT_NOT_READY',
      'EXPORT_GONE',
    ])
  })
})

/** A server whose one export has an artifact that breaks off, or never ends. */
async function startSlowServer(release: Release, { breaksOff }: { readonly breaksOff: boolean }) {
  const server = http.createServer((request, response) => {
    if (request.url === '/object') {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('[', () => {
        if (breaksOff) response.destroy()
      })
      return
    }
    const artifact = { ...completed.artifact, bytes: 1000, url: `${url}/object` }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...completed, artifact }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  release(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url }
}

describe.concurrent('a download that does not come to its end', () => {
  it('by the connection: 74, and no half file', async ({ onTestFinished }) => {
    const { url } = await startSlowServer(onTestFinished, { breaksOff: true })
    const cwd = await createFolder(onTestFinished)
    const result = await cli(cwd, [completed.id, '--json'], url)
    expect(result.code).toBe(74)
    expect(errorOf(result)).toMatchObject({ code: 'DOWNLOAD_FAILED' })
    expect(await readdir(cwd)).toEqual([])
  })

  it.for([
    ['SIGINT', ['SIGINT']],
    ['SIGTERM', ['SIGTERM']],
    // which does not wait for what the first one began
    ['a second signal', ['SIGINT', 'SIGTERM']],
  ] as const)('by %s: no half file', async ([, names], { onTestFinished }) => {
    const { url } = await startSlowServer(onTestFinished, { breaksOff: false })
    const cwd = await createFolder(onTestFinished)
    const running = startCli(onTestFinished, ['download', completed.id], {
      env: { LONGHAUL_URL: url },
      cwd,
    })
    await until(async () => (await readdir(cwd)).length > 0)
    for (const name of names) running.signal(name)
    const { code } = await running.ended
    expect([130, 143]).toContain(code)
    expect(await readdir(cwd)).toEqual([])
  })
})
