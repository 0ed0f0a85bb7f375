import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { ExportState } from '../../src/export/model.ts'
import { isFinished } from '../../src/export/state.ts'
import type { Findings } from './findings.ts'

const everyMs = 300

interface Seen {
  readonly state: ExportState
  readonly attempt: number
}

/** Watches the records, past Longhaul: history must not run backwards. */
export interface Observer {
  stateOf(id: string): ExportState | undefined
  /** Those of `ids` that run, as the records say now; undefined while they cannot be read. */
  running(ids: readonly string[]): Promise<readonly string[] | undefined>
  stop(): Promise<void>
}

/** @param url of the control database itself */
export function startObserver(url: string, findings: Findings): Observer {
  const seen = new Map<string, Seen>()
  const stopping = new AbortController()
  let client: pg.Client | undefined

  async function ask<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) {
    try {
      client ??= await connect(url)
      return (await client.query<Row>(sql, values)).rows
    } catch {
      // it was killed: the next question is asked on another connection
      const broken = client
      client = undefined
      void broken?.end().catch(() => undefined)
      return undefined
    }
  }

  function compare(id: string, before: Seen, { state, attempt }: Seen): void {
    const became = `was ${before.state} (attempt ${before.attempt}), then ${state} (attempt ${attempt})`
    if (attempt < before.attempt) findings.add('history', became, id)
    if (!isFinished(before.state)) return
    const changed = state !== before.state || attempt !== before.attempt
    if (changed && state !== 'expired') findings.add('history', became, id)
  }

  async function look(): Promise<void> {
    const rows = await ask<Seen & { id: string }>('select id, state, attempt from longhaul.exports')
    for (const { id, state, attempt } of rows ?? []) {
      const before = seen.get(id)
      if (before !== undefined) compare(id, before, { state, attempt })
      seen.set(id, { state, attempt })
    }
    const gone = [...seen.keys()].find((id) => rows?.every((row) => row.id !== id) === true)
    if (gone !== undefined) findings.add('history', 'its record is gone', gone)
  }

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await look()
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    await client?.end().catch(() => undefined)
  }
  const watching = watch()

  return {
    stateOf: (id) => seen.get(id)?.state,
    async running(ids) {
      const rows = await ask<{ id: string }>(
        `select id from longhaul.exports where state = 'running' and id = any($1::uuid[])`,
        [ids],
      )
      return rows?.map(({ id }) => id)
    },
    async stop() {
      stopping.abort()
      await watching
    },
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'torture',
    connectionTimeoutMillis: 2000,
    query_timeout: 5000,
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}
