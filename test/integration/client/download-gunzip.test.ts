import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ExportView } from '../../../src/http/schemas.ts'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes, sha256 } from '../../support/chunks.ts'
import { answerWell, startFakeStore } from '../../support/fake-store.ts'
import { createFolder, jsonOf, runCli } from '../../support/run-cli.ts'
import { setup } from './setup.ts'

const content = patternBytes(500_000)
const packed = gzipSync(content)

const asGzip = (_: number, plain: ExportView): ExportView => ({
  ...plain,
  artifact: {
    ...plain.artifact!,
    ...{ key: 'a/services.json.gz', content_type: 'application/gzip' },
    ...{ raw_bytes: content.length, raw_sha256: sha256(content) },
  },
})

describe('a download that unpacks', () => {
  it('verifies the stored bytes, then leaves what is in them', async () => {
    const { download, file, text } = await setup({ body: packed, view: asGzip })
    // of the file that is there, not of the stored object
    expect(await download({ gunzip: true })).toEqual({
      file,
      bytes: content.length,
      sha256: sha256(content),
    })
    expect((await text()).equals(content)).toBe(true)
  })

  it('takes several members, also when the connection breaks', async () => {
    const members = [content.subarray(0, 100_000), content.subarray(100_000)]
    const bundle = await setup({
      body: Buffer.concat(members.map((member) => gzipSync(member))),
      view: asGzip,
      answer({ number, offset }, response, well) {
        if (number > 1) well()
        else answerWell(response, bundle.body, offset, { breakAfter: 1000 })
      },
    })
    await bundle.download({ gunzip: true })
    expect((await bundle.text()).equals(content)).toBe(true)
    expect(bundle.requests).toHaveLength(2)
  })

  it.each([
    ['damaged', Buffer.concat([packed.subarray(0, 5000), packed.subarray(5001)])],
    ['cut off', packed.subarray(0, -20)],
    ['nothing of the kind', Buffer.from('["S1"]')],
  ])('says so when what is stored is %s, and leaves no file', async (_, body) => {
    const { failure } = await setup({ body, view: asGzip })
    const error = await failure({ gunzip: true })
    expect(error).toMatchObject({ code: 'DOWNLOAD_CORRUPT', retryable: false })
    expect(error.message).toMatch(/^The artifact cannot be unpacked after \d+ bytes: /)
  })

  it('says so when something else was packed, and leaves no file', async () => {
    const body = gzipSync(Buffer.from('["S1"]'))
    const { failure } = await setup({ body, view: asGzip })
    const error = await failure({ gunzip: true })
    expect(error).toMatchObject({ code: 'DOWNLOAD_CORRUPT', retryable: false })
    expect(error.message).toContain(`not ${sha256(content)}`)
  })

  it('leaves an artifact that is not packed as it is', async () => {
    const { download, text, body } = await setup()
    await download({ gunzip: true })
    expect((await text()).equals(body)).toBe(true)
  })

  it('can be stopped while it unpacks, and leaves no file', async () => {
    // a gigabyte in a megabyte: it is still at it when the signal comes
    const member = gzipSync(Buffer.alloc(64 * MiB))
    const { failure, body } = await setup({
      body: Buffer.concat(Array.from({ length: 16 }, () => member)),
      view: asGzip,
    })
    const stop = new AbortController()
    const error = await failure({
      gunzip: true,
      signal: stop.signal,
      onProgress({ bytes }) {
        if (bytes === body.length) setTimeout(() => stop.abort(), 50)
      },
    })
    expect(error.code).toBe('EXPORT_INTERRUPTED')
  })
})

describe('longhaul download --gunzip', () => {
  it("takes the artifact's name without .gz; without the option, the name as it is", async () => {
    const { url, id } = await startFakeStore(onTestFinished, { body: packed, view: asGzip })
    const cwd = await createFolder(onTestFinished)
    const options = { env: { LONGHAUL_URL: url }, cwd }
    const [unpacked, plain] = await Promise.all([
      runCli(['download', id, '--gunzip', '--json'], options),
      runCli(['download', id, '--json'], options),
    ])
    // what sha256sum says of the file that is there
    const facts = (bytes: Buffer) => ({ bytes: bytes.length, sha256: sha256(bytes) })
    expect(jsonOf(unpacked)).toEqual({ file: 'services.json', ...facts(content) })
    expect(jsonOf(plain)).toEqual({ file: 'services.json.gz', ...facts(packed) })
    expect((await readdir(cwd)).sort()).toEqual(['services.json', 'services.json.gz'])
    expect((await readFile(join(cwd, 'services.json'))).equals(content)).toBe(true)
    expect((await readFile(join(cwd, 'services.json.gz'))).equals(packed)).toBe(true)
  })
})
