import pg from 'pg'
import type { Clock } from '../runtime/clock.ts'
import type { Asking, ClockReading, DatabaseInspection, ServerFacts } from '../doctor/ports.ts'
import { askReadOnly } from './ask-read-only.ts'
import type { DatabaseRole } from './pg-errors.ts'
import { connect, disconnect, type Query } from './pool.ts'
import {
  newestMajor,
  oldestMajor,
  serverVersionColumns,
  type ServerVersion,
} from './server-version.ts'

/** Looks at the clock: the quickest of them says most. */
const readings = 3

type ServerRow = ServerVersion &
  Pick<ServerFacts, 'standby' | 'readOnly'> & { readonly pid: number }

const serverQuery = `
  select ${serverVersionColumns},
    pg_is_in_recovery() as standby,
    current_setting('default_transaction_read_only')::boolean as "readOnly",
    pg_backend_pid() as pid`

/** What either database is asked. */
export function inspectDatabase(
  url: string,
  role: DatabaseRole,
  { clock }: { readonly clock: Clock },
): DatabaseInspection {
  async function readClock(query: Query): Promise<readonly ClockReading[]> {
    const found: ClockReading[] = []
    for (let n = 0; n < readings; n++) {
      const askedAt = clock.now().getTime()
      const { rows } = await query<{ now: number }>(
        `select date_part('epoch', clock_timestamp()) * 1000 as now`,
      )
      found.push({ askedAt, answeredAt: clock.now().getTime(), theirs: rows[0]?.now ?? NaN })
    }
    return found
  }

  return {
    async connect({ signal }) {
      const began = performance.now()
      await disconnect(await connect(url, role, { signal }))
      return { place: placeOf(url), tookMs: performance.now() - began }
    },
    server: (asking: Asking) =>
      askReadOnly(url, role, asking, async (query, client) => {
        const row = (await query<ServerRow>(serverQuery)).rows[0] as ServerRow
        const { pid, number: versionNumber, ...facts } = row
        const supported = { oldest: oldestMajor, newest: newestMajor }
        // by what it said as it let us in, which a pooler makes up
        const { processID } = client as { readonly processID?: number | null }
        return { ...facts, versionNumber, supported, pooled: processID !== pid }
      }),
    readClock: (asking) => askReadOnly(url, role, asking, readClock),
  }
}

/** Where a URL of a database leads, by the driver's own reading of it. */
function placeOf(url: string): string {
  const { host, port, database = '' } = new pg.Client({ connectionString: url })
  return host.startsWith('/') ? `${database} in ${host}` : `${host}:${port}/${database}`
}
