import { execFile } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { backfillArchives } from '../../src/compose-archive.ts'
import { createLogger } from '../../src/logger.ts'
import { connect } from '../../src/postgres/pool.ts'
import { seedServices } from '../../src/postgres/seed/seed-services.ts'
import { describeWith } from '../support/describe-with.ts'
import { findProgram } from '../support/find-program.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { createFolder } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const documents = ['README.md', 'docs/api.md', 'docs/archive.md']
const curl = findProgram('curl')

/** The shell blocks of a document that call curl. */
const curlBlocks = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)]
    .map(([, block = '']) => block)
    .filter((block) => /\bcurl /.test(block))

/** The status that each call of curl is to see, in order: `# 400` above it says so, else any success. */
function expectedStatuses(script: string): readonly RegExp[] {
  const expected: RegExp[] = []
  let announced: string | undefined
  for (const line of script.split('\n')) {
    announced = /^# (\d{3})$/.exec(line)?.[1] ?? announced
    if (!/\bcurl /.test(line)) continue
    expected.push(announced === undefined ? /^[23]\d\d$/ : new RegExp(`^${announced}$`))
    announced = undefined
  }
  return expected
}

/** A curl that also tells the status it saw, on stderr. */
async function writeTellingCurl(folder: string): Promise<void> {
  const text = `#!/bin/sh\nexec ${curl ?? 'curl'} -w '%{stderr}STATUS %{http_code}\\n' "$@"\n`
  await writeFile(join(folder, 'curl'), text)
  await chmod(join(folder, 'curl'), 0o755)
}

const missingCurl = curl === undefined ? 'there is no curl' : undefined
describeWith('curl', missingCurl, 'the curl lines of the documents', () => {
  let system: TestSystem

  const release = releaseAfterAll()
  beforeAll(async () => {
    system = await startTestSystem(release)
    const client = await connect(system.database.url, 'source database')
    await seedServices(client, { services: 20_000, seed: 1, signal: new AbortController().signal })
    await client.end()
    // those that the documents show
    for (const day of ['2014-07-22', '2025-01-01']) {
      await backfillArchives(system.config, createLogger({ level: 'silent' }), {
        ...{ from: day, to: day, parallel: 1, signal: new AbortController().signal },
      })
    }
  })

  it.each(documents)('run as they are printed: %s', async (name) => {
    const script = curlBlocks(await readFile(join(root, name), 'utf8')).join('\n')
    const expected = expectedStatuses(script)
    expect(expected.length).toBeGreaterThan(3)
    const bin = await createFolder(onTestFinished)
    await writeTellingCurl(bin)
    const { stderr } = await run('sh', ['-euc', script], {
      cwd: await createFolder(onTestFinished),
      env: {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        LONGHAUL_URL: system.url,
        // nobody is asked for one here
        LONGHAUL_API_KEY: 'any',
        DASHBOARD_KEY: 'any',
      },
    })
    const seen = [...stderr.matchAll(/^STATUS (\d+)$/gm)].map(([, status]) => status)
    expect(seen).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as string))
    expect(stderr.replaceAll(/^STATUS \d+\n/gm, '')).toBe('')
  })
})

describe('the documents', () => {
  it('name no file of the project that is not there', async () => {
    for (const name of documents) {
      const text = await readFile(join(root, name), 'utf8')
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)
      expect(links.length).toBeGreaterThan(0)
      for (const link of links) await readFile(new URL(link, `file://${join(root, name)}`))
    }
  })
})
