import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { jsonOf, runCli, startCli } from '../support/run-cli.ts'
import { until } from '../support/until.ts'

/** A data folder that does not exist yet, removed at the end of the test. */
function newDataFolder(): string {
  const folder = join(tmpdir(), `longhaul-dev-${randomBytes(6).toString('hex')}`)
  onTestFinished(() => removeStackData(folder))
  return folder
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Starts `longhaul dev` and waits for the values that it writes. */
async function startDev(folder: string) {
  const dev = startCli(onTestFinished, ['dev', '--data', folder])
  const file = join(folder, 'stack.env')
  await until(() => exists(file), { what: 'stack.env' })
  await until(() => dev.output().stdout.includes('Ctrl-C'), { what: 'the last line' })
  const env = parseEnv(await readFile(file, 'utf8')) as Record<string, string>
  return { dev, env, file }
}

/** What goes to stderr when all goes well: nothing but these two lines. */
const quietEnd = expect.stringMatching(/^Starting PostgreSQL .* …\nStopping …\n$/) as string

describe('longhaul dev', () => {
  it('serves a second terminal by stack.env, and keeps its data over a restart', async () => {
    const folder = newDataFolder()
    const first = await startDev(folder)
    expect((await stat(first.file)).mode & 0o777).toBe(0o600)
    expect(Object.keys(first.env)).toEqual(
      expect.arrayContaining([
        ...['DATABASE_URL', 'LONGHAUL_URL', 'S3_BUCKET', 'S3_ENDPOINT', 'S3_REGION'],
        ...['S3_FORCE_PATH_STYLE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
      ]),
    )
    const seeded = await runCli(['seed', '--services', '2000', '--json'], { env: first.env })
    expect(jsonOf(seeded)).toMatchObject({ services: 2000 })
    const range = ['--from', '2014-07-01T00:00:00Z', '--to', '2014-08-01T00:00:00Z']
    const wait = ['export', ...range, '--wait', '--json']
    const before = jsonOf(await runCli(wait, { env: first.env })) as Exported
    expect(before.artifact.rows).toBeGreaterThan(1900)

    first.dev.signal('SIGTERM')
    expect(await first.dev.ended).toMatchObject({ code: 0, stderr: quietEnd })
    expect(await exists(first.file)).toBe(false)

    const second = await startDev(folder)
    const old = jsonOf(
      await runCli(['status', before.id, '--json'], { env: second.env }),
    ) as Exported
    expect((await fetch(old.artifact.url)).status).toBe(200)
    const after = jsonOf(await runCli(wait, { env: second.env })) as Exported
    expect(after.artifact.sha256).toBe(before.artifact.sha256)
    second.dev.signal('SIGINT')
    expect(await second.dev.ended).toMatchObject({ code: 0, stderr: quietEnd })
  })

  it('ends with a message when a part of its stack dies', async () => {
    const { dev, env } = await startDev(newDataFolder())
    const port = new URL(env['DATABASE_URL']!).port
    const pid = await postmasterOn(port)
    process.kill(pid, 'SIGKILL')
    const { code, stderr } = await dev.ended
    expect(code).toBe(70)
    expect(stderr).toContain('PostgreSQL')
  })
})

interface Exported {
  readonly id: string
  readonly artifact: { readonly rows: number; readonly sha256: string; readonly url: string }
}

/** The process whose command line names this port. */
async function postmasterOn(port: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes('postgres') && line.includes(port)) return Number(pid)
  }
  throw new Error(`No process serves port ${port}.`)
}

/** As in the shell of somebody who runs a server and workers with all that they can have. */
const ofAnother = {
  DATABASE_URL: 'postgres://127.0.0.1:1/none',
  SOURCE_DATABASE_URL: 'postgres://127.0.0.1:1/none',
  REDIS_URL: 'redis://127.0.0.1:1',
  S3_ENDPOINT: 'http://127.0.0.1:1',
  S3_LINK_ENDPOINT: 'http://127.0.0.1:1',
  ...{ S3_ENCRYPTION: 'aws:kms', S3_KMS_KEY_ID: 'alias/x', S3_TAGS: 'team=a' },
  ...{ S3_STORAGE_CLASS: 'STANDARD_IA', S3_BUCKET_OWNER: '012345678901', S3_PREFIX: 'x/' },
  ...{ API_KEYS: `team-a:read:${'ab'.repeat(32)}`, HOST: '0.0.0.0' },
}

describe('longhaul demo', () => {
  it('runs the main job on a stack of its own, and leaves nothing', async () => {
    const before = await leftovers()
    const result = await runCli(['demo', '--services', '3000', '--json'], { env: ofAnother })
    expect(result.code, result.stderr).toBe(0)
    expect(jsonOf(result)).toMatchObject({ rows: 3000, verified: true })
    expect(await leftovers()).toEqual(before)
  })
})

/** Folders of demos, here and where PostgreSQL of root may have to live. */
const leftovers = async () =>
  (await Promise.all([tmpdir(), '/var/tmp'].map((folder) => readdir(folder))))
    .flat()
    .filter((name) => name.startsWith('longhaul-demo'))
    .sort()
