import { execFile } from 'node:child_process'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes } from '../../support/chunks.ts'
import { startFakeStore } from '../../support/fake-store.ts'
import { createFolder, errorOf, runCli } from '../../support/run-cli.ts'
import { canMount, createSmallDisk } from '../../support/small-disk.ts'

const run = promisify(execFile)
const mayMount = await canMount()

/** A disk of 1 MiB with an older file of the name. */
async function setupDisk() {
  const folder = (await createSmallDisk(onTestFinished))!
  const file = join(folder, 'mine.json')
  await writeFile(file, 'what was there before')
  return { folder, file }
}

describe.runIf(mayMount)('a disk that is full', () => {
  it('ends the download with what it needs, and leaves no half file', async () => {
    const { folder, file } = await setupDisk()
    const body = patternBytes(3 * MiB)
    const { client, id, requests } = await startFakeStore(onTestFinished, { body })
    await expect(client.download(id, { file })).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: `There is no room left for ${file}, which takes ${3 * MiB} bytes.`,
    })
    expect(requests).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['mine.json'])
    expect(await readFile(file, 'utf8')).toBe('what was there before')
  })

  it('ends the command line with 74', async () => {
    const { folder, file } = await setupDisk()
    const { url, id } = await startFakeStore(onTestFinished, { body: patternBytes(3 * MiB) })
    const env = { LONGHAUL_URL: url }
    const result = await runCli(['download', id, '--json', '--output', file], { env })
    expect(result.code).toBe(74)
    expect(errorOf(result)).toMatchObject({ code: 'DISK_FULL' })
    expect(await readdir(folder)).toEqual(['mine.json'])
  })

  it('with room for the artifact, but not for what is in it, leaves neither', async () => {
    const { folder, file } = await setupDisk()
    const { client, id } = await startFakeStore(onTestFinished, {
      body: gzipSync(Buffer.alloc(3 * MiB)),
      view: (_, plain) => ({
        ...plain,
        artifact: { ...plain.artifact!, content_type: 'application/gzip' },
      }),
    })
    const error = await client.download(id, { file, gunzip: true }).catch((each: unknown) => each)
    expect(error).toMatchObject({ code: 'DISK_FULL' })
    expect((error as Error).message).toMatch(/takes more than \d{6,7} bytes\.$/)
    expect(await readdir(folder)).toEqual(['mine.json'])
    expect(await readFile(file, 'utf8')).toBe('what was there before')
  })
})

test.skipIf(mayMount)('a full disk needs the right to mount one to be tested', () => undefined)

test('a part file goes with a process that exits where it stands', async () => {
  const folder = await createFolder(onTestFinished)
  const module = new URL('../../../dist/src/client/part-file.js', import.meta.url).href
  const script = `
    import { readdirSync } from 'node:fs'
    import { createPartFile } from ${JSON.stringify(module)}
    await createPartFile('mine.json')
    console.log(readdirSync('.').join())
    process.exit(0)`
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await run(process.execPath, args, { cwd: folder })
  expect(stdout).toMatch(/^mine\.json\.[0-9a-f]{8}\.part\n$/)
  expect(await readdir(folder)).toEqual([])
})

describe('the name of a download', () => {
  it('may not be that of a device: a rename would take its place', async () => {
    const { client, id, requests } = await startFakeStore(onTestFinished, {
      body: patternBytes(10),
    })
    await expect(client.download(id, { file: '/dev/null' })).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
    })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
    expect(requests).toEqual([])
  })

  it('may be used by several downloads at once: the last to end has it', async () => {
    const body = patternBytes(100_000)
    const { client, id } = await startFakeStore(onTestFinished, { body })
    const folder = await createFolder(onTestFinished)
    const file = join(folder, 'mine.json')
    await Promise.all(Array.from({ length: 12 }, () => client.download(id, { file })))
    expect(await readdir(folder)).toEqual(['mine.json'])
    expect((await readFile(file)).equals(body)).toBe(true)
    expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600')
  })
})
