import { randomBytes } from 'node:crypto'
import { chown, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { openDataFolder } from '../../src/embedded/data-folder.ts'
import { lastingPort } from './lasting-port.ts'
import { openLogFile } from '../../src/embedded/log-file.ts'
import {
  findPostgresBinaries,
  type PostgresBinaries,
} from '../../src/embedded/postgres-binaries.ts'
import { ensureCluster, POSTGRES_NAME } from '../../src/embedded/postgres-cluster.ts'
import {
  openPostgresHome,
  removePostgresHome,
  type PostgresHome,
} from '../../src/embedded/postgres-home.ts'
import { launchPostmaster, waitUntilReady } from '../../src/embedded/postmaster.ts'
import { runTool } from '../../src/embedded/run-tool.ts'
import type { Release } from './release.ts'

export interface StandbyPair {
  /** Of the superuser, as both are. */
  readonly primaryUrl: string
  readonly standbyUrl: string
}

const password = randomBytes(8).toString('hex')
const startTimeoutMs = 60_000

/** What the files were made with: a standby takes no less than that. */
const replicating = { wal_level: 'replica', max_wal_senders: 10 }

/** Settings of a standby that gives way at once to what the primary has done: to test conflicts with it. */
const yielding = {
  hot_standby: 'on',
  hot_standby_feedback: 'off',
  max_standby_streaming_delay: 0,
  // looks for a primary that was not there yet
  wal_retrieve_retry_interval: 100,
}

/**
 * A PostgreSQL and a streaming standby of it, on loopback. The standby is made from a copy of the
 * primary's files, as `pg_basebackup` is not among the embedded programs. Nothing happens on the primary by itself: autovacuum
 * is off, so that every conflict is the test's own.
 */
export async function startStandbyPair(release: Release): Promise<StandbyPair> {
  const primary = await openHome(release)
  const standby = await openHome(release)
  const binaries = await findPostgresBinaries(primary.home, inject('postgres'))
  await ensureCluster(primary.home, binaries, { password, durable: false })
  // cleanly shut down since it was made: a copy of all files is a backup
  await copyCluster(primary.home, standby.home)

  const primaryPort = await start(release, primary, binaries, {
    ...replicating,
    wal_keep_size: '512MB',
    // what has been committed has been written: a test waits until the standby has it
    synchronous_commit: 'local',
    autovacuum: 'off',
  })
  const conninfo = `host=127.0.0.1 port=${primaryPort} user=${POSTGRES_NAME} password=${password}`
  await writeOwned(standby.home, 'standby.signal', '')
  await writeOwned(standby.home, 'postgresql.auto.conf', `primary_conninfo = '${conninfo}'\n`)
  const standbyPort = await start(release, standby, binaries, {
    ...replicating,
    ...yielding,
  })
  return { primaryUrl: urlOf(primaryPort), standbyUrl: urlOf(standbyPort) }
}

const urlOf = (port: number) =>
  `postgres://${POSTGRES_NAME}:${password}@127.0.0.1:${port}/${POSTGRES_NAME}`

interface Place {
  readonly dataDir: string
  readonly home: PostgresHome
}

async function openHome(release: Release): Promise<Place> {
  const folder = join(tmpdir(), `longhaul-standby-${randomBytes(6).toString('hex')}`)
  const dataDir = await openDataFolder(folder)
  release(async () => {
    await removePostgresHome(dataDir)
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  })
  return { dataDir, home: await openPostgresHome(dataDir, () => undefined) }
}

async function copyCluster(from: PostgresHome, to: PostgresHome): Promise<void> {
  // keeps owners and modes, which PostgreSQL is strict about
  const { code, output } = await runTool('cp', ['-a', from.data, to.data])
  if (code !== 0) throw new Error(`The files of the primary could not be copied: ${output}`)
}

async function writeOwned({ data, runAs }: PostgresHome, name: string, text: string) {
  const path = join(data, name)
  await writeFile(path, text, { mode: 0o600 })
  if (runAs !== undefined) await chown(path, runAs.uid, runAs.gid)
}

/** @returns the port */
async function start(
  release: Release,
  { dataDir, home }: Place,
  { postgres }: PostgresBinaries,
  settings: Readonly<Record<string, string | number>>,
): Promise<number> {
  const log = openLogFile(join(dataDir, 'postgres.log'))
  try {
    const options = { home, postgres, port: await lastingPort(), durable: false, settings, log }
    const postmaster = await launchPostmaster(options)
    release(() => postmaster.stop())
    const problem = await waitUntilReady(postmaster, options, startTimeoutMs)
    if (problem !== undefined) throw new Error(`PostgreSQL ${problem}:\n${await log.tail()}`)
    return options.port
  } finally {
    log.close()
  }
}
