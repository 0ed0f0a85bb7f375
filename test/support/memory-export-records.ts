import { NotFoundError, SpecError } from '../../src/errors.ts'
import {
  rawBytes,
  type Claim,
  type ExportRecord,
  type PastAttempt,
  type UnfinishedCount,
} from '../../src/export/model.ts'
import type { ExportRecords } from '../../src/export/ports.ts'
import { transitions, type Transition } from '../../src/export/state.ts'
import { systemClock } from '../../src/runtime/clock.ts'

type Change = Partial<{ -readonly [K in keyof ExportRecord]: ExportRecord[K] | undefined }>

/** ExportRecords in memory; `export-records-contract.ts` holds it to what the real ones do. */
export function createMemoryExportRecords({ clock = systemClock } = {}): ExportRecords {
  const all = new Map<string, ExportRecord>()
  const keys = new Map<string, { id: string; fingerprint: string }>()

  const find = (id: string): ExportRecord => {
    const record = all.get(id)
    if (record === undefined) throw new NotFoundError(id)
    return record
  }
  const write = (record: ExportRecord, change: Change): ExportRecord => {
    const entries = Object.entries({ ...record, ...change })
    const next = Object.fromEntries(entries.filter(([, value]) => value !== undefined))
    all.set(record.id, next as unknown as ExportRecord)
    return find(record.id)
  }
  const move = (record: ExportRecord, name: Transition, change: Change) => {
    const from: readonly string[] = transitions[name].from
    if (!from.includes(record.state)) return undefined
    return write(record, { leaseUntil: undefined, ...change, state: transitions[name].to })
  }
  /** The record, while the claim on it is held. */
  const held = ({ id, attempt }: Claim) => {
    const record = all.get(id)
    return record?.state === 'running' && record.attempt === attempt ? record : undefined
  }
  const highest = ({ highestRows, progress }: ExportRecord, rows = progress.rows) =>
    Math.max(highestRows, rows)
  /** The history with the attempt that ends, if one runs. */
  const ended = (
    { history, state, attempt, attemptAt, progress }: ExportRecord,
    outcome: PastAttempt['outcome'],
    facts: Partial<PastAttempt> = {},
  ): readonly PastAttempt[] => {
    if (state !== 'running') return history
    const times = { startedAt: attemptAt!, endedAt: clock.now() }
    return [...history, { attempt, outcome, ...times, rows: progress.rows, ...facts }]
  }
  const lease = (leaseMs: number) => new Date(clock.now().getTime() + leaseMs)

  const records: Synchronous<ExportRecords> = {
    get: find,
    getMany: (ids) => [...new Set(ids)].flatMap((id) => all.get(id) ?? []),

    create({ idempotencyKey, fingerprint, ...draft }) {
      const ownKey = idempotencyKey && `${draft.requestedBy ?? ''} ${idempotencyKey}`
      const known = ownKey === undefined ? undefined : keys.get(ownKey)
      if (known !== undefined) {
        return { record: find(known.id), created: false, fingerprint: known.fingerprint }
      }
      if (ownKey !== undefined) keys.set(ownKey, { id: draft.id, fingerprint })
      const counts = { attempt: 0, failures: 0, highestRows: 0, dispatch: 1, history: [] }
      const record = { ...draft, ...counts, state: 'queued', progress: { rows: 0, bytes: 0 } }
      return { record: write(record as ExportRecord, {}), created: true, fingerprint }
    },

    list({ requestedBy, state, limit, cursor }) {
      const sorted = [...all.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1))
      const after = sorted.findIndex(({ id }) => id === cursor)
      if (cursor !== undefined && after === -1) throw new SpecError('SPEC_INVALID', 'cursor: bad')
      const rest = sorted
        .slice(after + 1)
        .filter((record) => state === undefined || record.state === state)
        .filter((record) => requestedBy === undefined || record.requestedBy === requestedBy)
      const page = rest.slice(0, limit)
      return { exports: page, ...(rest.length > limit ? { nextCursor: page.at(-1)!.id } : {}) }
    },

    claim(id, { leaseMs, perKey }) {
      const record = find(id)
      const ofKey = [...all.values()].filter(
        ({ requestedBy }) => requestedBy === record.requestedBy,
      )
      const tooMany =
        ofKey.filter(({ state }) => state === 'running').length >= (perKey ?? Infinity) ||
        ofKey.some((other) => other.heldBack && sortKey(other) < sortKey(record))
      if (perKey !== undefined && record.requestedBy && record.state === 'queued' && tooMany) {
        write(record, { heldBack: true })
        return undefined
      }
      const { leaseUntil, attempt, failures, highestRows, progress, startedAt } = record
      if (leaseUntil !== undefined && leaseUntil >= clock.now()) return undefined
      const lost = record.state === 'running' && progress.rows <= highestRows
      return move(record, 'claim', {
        attempt: attempt + 1,
        heldBack: undefined,
        failures: failures + (lost ? 1 : 0),
        highestRows: highest(record),
        progress: { ...progress, rows: 0, bytes: 0 },
        snapshotAt: undefined,
        history: ended(record, 'lost'),
        leaseUntil: lease(leaseMs),
        startedAt: startedAt ?? clock.now(),
        attemptAt: clock.now(),
        progressAt: undefined,
      })
    },

    progress(claim, { rows, bytes, estimatedRows, snapshotAt, leaseMs }) {
      const record = held(claim)
      if (record === undefined) return false
      const guess = estimatedRows === undefined ? {} : { estimatedRows }
      write(record, {
        progress: { ...record.progress, rows, bytes, ...guess },
        snapshotAt: snapshotAt ?? record.snapshotAt,
        progressAt: clock.now(),
        leaseUntil: lease(leaseMs),
      })
      return true
    },

    complete(claim, artifact, times) {
      const record = held(claim)
      if (record === undefined) return false
      const { rows } = artifact
      const progress = { ...record.progress, rows, bytes: rawBytes(artifact) }
      const history = ended(record, 'completed', { rows })
      move(record, 'complete', { ...times, artifact, progress, history, error: undefined })
      return true
    },

    fail(claim, { error, again, failures, rows, at }) {
      const record = held(claim)
      if (record === undefined) return false
      const history = ended(record, 'failed', { rows, error })
      const change = { error, failures, history, highestRows: highest(record, rows) }
      move(record, again ? 'requeue' : 'fail', again ? change : { ...change, finishedAt: at })
      return true
    },

    release(claim) {
      const record = held(claim)
      if (record === undefined) return false
      const history = ended(record, 'interrupted')
      move(record, 'requeue', { history, highestRows: highest(record) })
      return true
    },

    admit(requestedBy, { perKey, limit }) {
      const ofKey = [...all.values()].filter((record) => record.requestedBy === requestedBy)
      const running = ofKey.filter(({ state }) => state === 'running').length
      return ofKey
        .filter(({ heldBack }) => heldBack)
        .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
        .slice(0, Math.min(limit, Math.max(0, (perKey ?? Infinity) - running)))
        .map((record) => write(record, { heldBack: undefined, dispatch: record.dispatch + 1 }))
        .map(({ id, dispatch, archive, traceparent }) => ({
          ...{ id, dispatch },
          ...(archive === undefined ? {} : { archive }),
          ...(traceparent === undefined ? {} : { traceparent }),
        }))
    },

    keysHeldBack: () => [
      ...new Set([...all.values()].flatMap((each) => (each.heldBack ? each.requestedBy! : []))),
    ],

    listUnattended: ({ before, limit, after }) =>
      [...all.values()]
        .filter(({ state, leaseUntil }) =>
          state === 'running' ? (leaseUntil ?? new Date(0)) < clock.now() : state === 'queued',
        )
        .filter(({ createdAt, heldBack }) => createdAt < before && !heldBack)
        .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
        .filter((record) => after === undefined || sortKey(record) > sortKey(after))
        .slice(0, limit),

    redispatch(id, dispatch) {
      const record = find(id)
      const unfinished = record.state === 'queued' || record.state === 'running'
      if (!unfinished || record.dispatch !== dispatch) return undefined
      return write(record, { dispatch: dispatch + 1 })
    },

    countUnfinished() {
      const counts = new Map<string, UnfinishedCount>()
      for (const { spec, state, heldBack, createdAt } of all.values()) {
        if (state !== 'queued' && state !== 'running') continue
        const group = { dataset: spec.dataset, state: heldBack ? ('held_back' as const) : state }
        const { count, oldestSeconds } = counts.get(JSON.stringify(group)) ?? {
          ...{ count: 0, oldestSeconds: 0 },
        }
        const ageSeconds = (clock.now().getTime() - createdAt.getTime()) / 1000
        counts.set(JSON.stringify(group), {
          ...{ ...group, count: count + 1, oldestSeconds: Math.max(oldestSeconds, ageSeconds) },
        })
      }
      return [...counts.values()]
    },

    listDue: ({ limit }) =>
      [...all.values()]
        .filter(({ state, expiresAt }) => state === 'completed' && expiresAt! <= clock.now())
        .sort((a, b) => a.expiresAt!.getTime() - b.expiresAt!.getTime())
        .slice(0, limit),

    cancel: (id, at) => {
      const record = find(id)
      return move(record, 'cancel', {
        heldBack: undefined,
        finishedAt: at,
        history: ended(record, 'canceled'),
      })
    },
    expire: (id, at) => {
      const record = find(id)
      const { expiresAt = at } = record
      return move(record, 'expire', { expiresAt: expiresAt < at ? expiresAt : at })
    },
    relocate(id, from, { key, etag }) {
      const record = all.get(id)
      if (record?.state !== 'completed' || record.artifact?.key !== from) return false
      write(record, { artifact: { ...record.artifact, key, etag } })
      return true
    },
  }
  return Object.fromEntries(
    Object.entries(records).map(([name, method]) => [
      name,
      // what is thrown rejects, as with any other implementation
      (...args: never[]) => Promise.resolve().then(() => (method as Method)(...args)),
    ]),
  ) as unknown as ExportRecords
}

type Method = (...args: never[]) => unknown
type Synchronous<Port> = {
  [Name in keyof Port]: Port[Name] extends (...args: infer Args) => Promise<infer Result>
    ? (...args: Args) => Result
    : never
}

const sortKey = ({ createdAt, id }: Pick<ExportRecord, 'createdAt' | 'id'>) =>
  `${createdAt.toISOString()}/${id}`
