import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Downloaded, DownloadOptions } from '../../../src/client/download.ts'
import { ExportError } from '../../../src/errors.ts'
import { patternBytes } from '../../support/chunks.ts'
import { startFakeStore, type FakeStore, type FakeStoreOptions } from '../../support/fake-store.ts'
import { createFolder } from '../../support/run-cli.ts'

export interface Bundle extends FakeStore {
  readonly body: Buffer
  readonly file: string
  readonly download: (options?: Partial<DownloadOptions>) => Promise<Downloaded>
  /** That it fails as it should, and leaves everything as it was. */
  readonly failure: (options?: Partial<DownloadOptions>) => Promise<ExportError>
  /** What the downloads left. */
  readonly text: () => Promise<Buffer>
}

const before = 'what was there before'

/** A download from a fake store, in a folder with an older file of the name, with no time to wait. */
export async function setup({
  body = patternBytes(300_000),
  ...options
}: Partial<FakeStoreOptions> = {}): Promise<Bundle> {
  const store = await startFakeStore(onTestFinished, { body, ...options })
  const folder = await createFolder(onTestFinished)
  const file = join(folder, 'mine.json')
  await writeFile(file, before)
  const download = (given: Partial<DownloadOptions> = {}) =>
    store.client.download(store.id, { file, pauseMs: 1, ...given })
  async function failure(given: Partial<DownloadOptions> = {}): Promise<ExportError> {
    const error = await download(given).then(
      () => new TypeError('The download did not fail.'),
      (reason: unknown) => reason,
    )
    if (!(error instanceof ExportError)) throw error
    const left = [await readdir(folder), await readFile(file, 'utf8')]
    if (JSON.stringify(left) === JSON.stringify([['mine.json'], before])) return error
    throw new TypeError(`The failure left ${JSON.stringify(left)}.`, { cause: error })
  }
  return { ...store, body, file, download, failure, text: () => readFile(file) }
}
