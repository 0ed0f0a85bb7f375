import { until } from '../support/until.ts'
import { auditRecords, readRecords, type AuditedRecord } from './audit-records.ts'
import type { Order } from './customers.ts'
import { expectationOf, type Expectation } from './expectation.ts'
import type { Findings } from './findings.ts'
import type { KnownRequest } from './requests.ts'
import { readStore, type StoreContents } from '../support/store-contents.ts'
import type { KillablePostgres } from '../support/killable-postgres.ts'
import { sweepOrphans } from './sweep-orphans.ts'
import type { System } from './system.ts'

export interface Audited {
  readonly records: readonly AuditedRecord[]
  readonly expectations: ReadonlyMap<KnownRequest, Expectation>
}

/** Looks at all that is left, once every process of Longhaul is gone: past it, at the servers themselves. */
export async function audit(
  system: System,
  orders: readonly Order[],
  findings: Findings,
): Promise<Audited> {
  const { control, source, store, secrets } = system
  for (const part of [control, source]) await auditConnections(part, findings)
  const records = await readRecords(control)
  auditRecords(records, orders, secrets, findings)

  const expectations = new Map<KnownRequest, Expectation>()
  for (const { request } of orders) {
    if (!expectations.has(request)) expectations.set(request, await expectationOf(source, request))
  }
  await sweepOrphans(system, findings)
  const contents = readStore(store)
  try {
    const recordOf = new Map(records.map((record) => [record.idempotency_key, record]))
    for (const order of orders) {
      const record = recordOf.get(order.key)
      const expected = expectations.get(order.request)
      if (record?.state !== 'completed' || expected === undefined) continue
      await auditArtifact(contents, record, order, expected, findings)
    }
    await auditBucket(contents, records, findings)
  } finally {
    contents.close()
  }
  return { records, expectations }
}

/** Nothing of Longhaul may be connected when nothing of it runs. */
export async function auditConnections(
  part: KillablePostgres,
  findings: Findings,
  { pattern = 'longhaul%', when = 'after the end' } = {},
): Promise<void> {
  const look = () =>
    part.query<{ pid: number; what: string }>(
      `select pid, concat_ws(', ', application_name, state, now() - state_change, left(query, 60)) as what
       from pg_stat_activity where application_name like $1`,
      [pattern],
    )
  const gone = until(async () => (await look()).length === 0, { timeoutMs: 10_000 })
  if (await gone.catch(() => false)) return
  for (const { what } of await look()) {
    findings.add('connection', `left in the ${part.name} database ${when}: ${what}`)
  }
}

/** Object, record and database must say the same. */
async function auditArtifact(
  contents: StoreContents,
  { id, artifact }: AuditedRecord,
  { request, download }: Order,
  expected: Expectation,
  findings: Findings,
): Promise<void> {
  const wrong = (text: string) => findings.add('artifact', `${text} (${request.name})`, id)
  const stored = await contents.digest(artifact?.key ?? '')
  if (stored === undefined) wrong('is not in the store')
  else {
    const { raw } = stored
    if (raw.sha256 !== expected.sha256 || raw.bytes !== expected.bytes) {
      wrong(`has ${raw.bytes} bytes ${raw.sha256}, not ${expected.bytes} ${expected.sha256}`)
    }
    if (artifact?.sha256 !== stored.sha256 || artifact.bytes !== stored.bytes) {
      wrong(`is recorded with ${String(artifact?.bytes)} bytes, not ${stored.bytes}`)
    }
  }
  const { rawBytes = artifact?.bytes, rawSha256 = artifact?.sha256 } = artifact ?? {}
  if (rawSha256 !== expected.sha256 || rawBytes !== expected.bytes) {
    wrong(`is recorded with ${String(rawBytes)} bytes of JSON, not ${expected.bytes}`)
  }
  if (artifact?.rows !== expected.rows) {
    wrong(`is recorded with ${String(artifact?.rows)} rows, not ${expected.rows}`)
  }
  if (download !== undefined && 'sha256' in download && download.sha256 !== artifact?.sha256) {
    wrong(`was downloaded as ${download.sha256}, not ${String(artifact?.sha256)}`)
  }
}

/** Every object is the artifact of a completed export, and no upload is open. */
async function auditBucket(
  contents: StoreContents,
  records: readonly AuditedRecord[],
  findings: Findings,
): Promise<void> {
  const ownerOf = (key: string) => records.find(({ id }) => key.startsWith(`exports/${id}/`))
  const describe = (key: string, record: AuditedRecord | undefined) =>
    `${key} of ${record === undefined ? 'no export' : `a ${record.state} export, attempt ${record.attempt}`}`
  for (const key of await contents.keys()) {
    const record = ownerOf(key)
    if (record?.state === 'completed' && record.artifact?.key === key) continue
    findings.add('orphan', `object ${describe(key, record)}`, record?.id)
  }
  for (const key of await contents.uploads()) {
    const record = ownerOf(key)
    findings.add('orphan', `open upload ${describe(key, record)}`, record?.id)
  }
}
