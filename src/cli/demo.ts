import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../client/client.ts'
import type { Environment } from '../config.ts'
import { removeStackData } from '../embedded/remove-stack-data.ts'
import { ClientError, InterruptedError } from '../errors.ts'
import { connect } from '../postgres/pool.ts'
import { seedServices } from '../postgres/seed/seed-services.ts'
import { createResources } from '../runtime/resources.ts'
import { listenForShutdown } from '../runtime/shutdown.ts'
import { exportFailure } from './export-failure.ts'
import { readDirectly } from './check-against-database.ts'
import { runUntil, startLocalSystem, type LocalSystem } from './local-system.ts'
import { createOutput, formatBytes, formatCount, formatDuration, type Output } from './output.ts'
import { createProgressDisplay } from './progress.ts'

/** All that seedServices makes. */
const range = { time_from: '1900-01-01T00:00:00.000Z', time_to: '2200-01-01T00:00:00.000Z' }

/** Nobody but this process and whoever watches it has business there: keys of another server would lock it out. */
const ownDoors = { API_KEYS: undefined, API_KEYS_FILE: undefined, HOST: undefined }

export interface DemoSettings {
  readonly json: boolean
  /** Leave it running until a signal. */
  readonly keep: boolean
  /** How many to seed. */
  readonly services: number
}

/** Shows the main job, from an empty folder to a verified download, and cleans up. */
export async function demo(
  environment: Environment,
  { json, keep, services }: DemoSettings,
): Promise<void> {
  const output = createOutput({ json })
  const shutdown = listenForShutdown()
  const resources = createResources()
  try {
    const folder = join(tmpdir(), `longhaul-demo-${randomBytes(6).toString('hex')}`)
    const dataDir = resources.add(folder, removeStackData)
    const log = (line: string) => output.note(line)
    const system = resources.add(
      await startLocalSystem({ dataDir, environment: { ...environment, ...ownDoors }, log }),
      (started) => started.stop(),
    )
    const work = runDemo(system, { dataDir, services, output, signal: shutdown.signal })
    const result = await untilStopped(work, shutdown.requested, system)
    output.result(result, [...summary(result), '', ...whatNext(system, result, keep)])
    if (keep) await runUntil(shutdown.requested, system)
  } finally {
    output.note('Stopping …')
    await resources.release()
    shutdown.dispose()
  }
}

interface DemoOptions {
  readonly dataDir: string
  readonly services: number
  readonly output: Output
  readonly signal: AbortSignal
}

interface DemoResult {
  readonly id: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  readonly elapsedMs: number
  readonly verified: true
}

/** Seed, request, wait, download, check. */
async function runDemo(
  { url, databaseUrl }: LocalSystem,
  { dataDir, services, output, signal }: DemoOptions,
): Promise<DemoResult> {
  output.note(`Seeding ${formatCount(services)} services …`)
  const database = await connect(databaseUrl, 'source database')
  try {
    const seeded = await seedServices(database, { services, seed: 1, signal })
    output.note(`  ${formatDuration(seeded.elapsedMs)}`)
  } finally {
    await database.end()
  }

  const client = createClient({ url })
  output.note(`POST ${url}/exports`)
  const startedAt = performance.now()
  const { id } = await client.request({ ...range, export_content: true })
  const progress = output.json ? undefined : createProgressDisplay()
  const done = await client
    .wait(id, { signal, onProgress: (view) => progress?.update(view) })
    .finally(() => progress?.stop())
  const elapsedMs = performance.now() - startedAt
  if (done.artifact === undefined) throw exportFailure(done)

  output.note('Downloading by the link …')
  const received = await client.download(id, { file: join(dataDir, 'export.json'), signal })
  output.note('Comparing with the database …')
  const direct = await readDirectly(databaseUrl, done)
  if (direct.rows !== done.artifact.rows || direct.sha256 !== received.sha256) {
    throw new ClientError(
      'DOWNLOAD_CORRUPT',
      `The download has ${done.artifact.rows} rows and SHA-256 ${received.sha256}, ` +
        `but the database gives ${direct.rows} and ${direct.sha256}.`,
    )
  }
  return { id, ...direct, bytes: received.bytes, elapsedMs, verified: true }
}

/** The work's result, unless somebody stops it or a part of the stack dies first. */
async function untilStopped<T>(
  work: Promise<T>,
  stopRequested: Promise<void>,
  { failed }: LocalSystem,
): Promise<T> {
  const interrupted = stopRequested.then(() => {
    throw new InterruptedError('The demo was stopped.')
  })
  const broken = failed.then((error) => {
    throw error
  })
  return Promise.race([work, interrupted, broken])
}

const summary = ({ rows, bytes, elapsedMs, sha256 }: DemoResult): readonly string[] => [
  `Exported ${formatCount(rows)} services, ${formatBytes(bytes)}, in ${formatDuration(elapsedMs)}: ` +
    `${formatBytes((bytes * 1000) / elapsedMs)}/s, ${formatCount(Math.round((rows * 1000) / elapsedMs))} services a second,`,
  'from the request to the finished artifact. Rows and SHA-256 agree with the database:',
  `  ${sha256}`,
]

const whatNext = ({ url }: LocalSystem, { id }: DemoResult, keep: boolean): readonly string[] => [
  keep ? 'It keeps running; try:' : 'To try it yourself, `npm run demo -- --keep`, then:',
  `  curl -s ${url}/exports/${id}`,
  `  curl -sL ${url}/exports/${id}/artifact -o export.json`,
  `  curl -s ${url}/exports -H 'content-type: application/json' \\`,
  `    -d '{"time_from":"2014-07-22T12:00:00Z","time_to":"2014-07-22T18:00:00Z","export_content":true}'`,
  ...(keep ? ['', 'Ctrl-C stops it and removes its data.'] : []),
]
