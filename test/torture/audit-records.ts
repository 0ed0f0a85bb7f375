import { rawBytes, type Artifact, type ExportState } from '../../src/export/model.ts'
import { isFinished } from '../../src/export/state.ts'
import type { Order } from './customers.ts'
import type { Findings } from './findings.ts'
import type { KillablePostgres } from '../support/killable-postgres.ts'

/** What the audit reads of a record, as the control database has it. */
export interface AuditedRecord {
  readonly id: string
  readonly state: ExportState
  readonly attempt: number
  readonly failures: number
  readonly rows: number
  readonly bytes: number
  readonly idempotency_key: string | null
  readonly artifact: Artifact | null
  readonly error: { readonly code: string; readonly message: string } | null
  readonly lease_until: Date | null
  readonly started_at: Date | null
  readonly finished_at: Date | null
}

export const readRecords = (control: KillablePostgres): Promise<AuditedRecord[]> =>
  control.query<AuditedRecord & Record<string, unknown>>(
    `select *, rows::integer as rows, bytes::integer as bytes from longhaul.exports order by created_at`,
  )

/** Compares every record with itself and with what its customer was told. */
export function auditRecords(
  records: readonly AuditedRecord[],
  orders: readonly Order[],
  secrets: readonly string[],
  findings: Findings,
): void {
  const orderOf = new Map(orders.map((order) => [order.key, order]))
  const known = new Set<string>()
  for (const record of records) {
    const { id, idempotency_key: key } = record
    const order = orderOf.get(key ?? '')
    if (order === undefined || known.has(order.key)) {
      findings.add('duplicate', `nobody asked for it by the key ${String(key)}`, id)
      continue
    }
    known.add(order.key)
    if (order.ids.size > 0 && !order.ids.has(id)) {
      findings.add('duplicate', `its customer was given ${[...order.ids].join(', ')}`, id)
    }
    auditRecord(record, findings)
    auditCancels(record, order, findings)
    if (secrets.some((secret) => JSON.stringify(record).includes(secret))) {
      findings.add('secret', 'a secret in its record', id)
    }
  }
  const ids = new Set(records.map(({ id }) => id))
  for (const { ids: acknowledged } of orders) {
    if (acknowledged.size > 1) findings.add('duplicate', [...acknowledged].join(' and '))
    for (const id of acknowledged) {
      if (!ids.has(id)) findings.add('lost', 'acknowledged, but there is no record', id)
    }
  }
}

function auditRecord(record: AuditedRecord, findings: Findings): void {
  const { id, state, attempt, artifact, error } = record
  const wrong = (text: string) => findings.add('record', `${state}, but ${text}`, id)
  if (!isFinished(state)) {
    findings.add('stuck', `still ${state}, attempt ${attempt}, last error ${error?.code}`, id)
    return
  }
  if (record.finished_at === null) wrong('it has no end')
  if (record.lease_until !== null) wrong('it has a lease')
  if (record.started_at !== null && record.finished_at !== null) {
    // two clocks, of the database and of a worker, on one machine
    if (record.started_at.getTime() > record.finished_at.getTime() + 1000) wrong('it ended before')
  }
  if (state !== 'completed') {
    if (artifact !== null) wrong('it has an artifact')
    if (state === 'failed' && error === null) wrong('it has no error')
    return
  }
  if (error !== null) wrong(`it has the error ${error.code}`)
  if (artifact?.rows !== record.rows || rawBytes(artifact) !== record.bytes) {
    wrong(`${record.rows} rows and ${record.bytes} bytes are not its artifact's`)
  }
  if (artifact?.key.startsWith(`exports/${id}/${attempt}/`) !== true) {
    wrong(`${String(artifact?.key)} is not of attempt ${attempt}`)
  }
}

/** A customer who was told that it is canceled, or that it had finished, was told the truth. */
function auditCancels({ id, state }: AuditedRecord, { cancels }: Order, findings: Findings): void {
  const told = cancels.includes('canceled')
  if (told && state !== 'canceled') findings.add('cancel', `confirmed, but it is ${state}`, id)
  if (!told && state === 'canceled') {
    const why = cancels.length > 0 ? 'its customer was told that it had finished' : 'nobody asked'
    findings.add('cancel', `canceled, but ${why}`, id)
  }
}
