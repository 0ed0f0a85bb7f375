import { NotFoundError } from '../errors.ts'
import { gather } from '../runtime/gather.ts'
import { rawBytes, type PastAttempt } from '../export/model.ts'
import type { ExportRecords } from '../export/ports.ts'
import { transitions, type Transition } from '../export/state.ts'
import { createRecord } from './create-record.ts'
import { formatCursor, parseCursor, uuid } from './export-cursor.ts'
import { exportColumns, exportFromRow, type ExportRow } from './export-row.ts'
import { admit, holdBack, keysHeldBack } from './hold-back.ts'
import { countUnfinished } from './count-unfinished.ts'
import type { Database, Query } from './pool.ts'

/** `state = any(from)` and `state = to` of a transition, as SQL. */
const guard = (name: Transition) =>
  `state in (${transitions[name].from.map((state) => `'${state}'`).join(', ')})`
const become = (name: Transition) => `state = '${transitions[name].to}'`
const ms = (parameter: string) => `${parameter}::double precision * interval '1 millisecond'`

/** The history with the attempt that now ends. `rows` and `error` are SQL. */
const ended = (outcome: PastAttempt['outcome'], rows = 'rows', error = 'null') =>
  `history || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('attempt', attempt,
     'outcome', '${outcome}', 'startedAt', coalesce(attempt_at, started_at), 'endedAt', now(),
     'rows', ${rows}::bigint, 'error', ${error}::jsonb)))`
/** An attempt ends only where one runs. */
const endedIfRunning = (outcome: PastAttempt['outcome']) =>
  `case when state = 'running' then ${ended(outcome)} else history end`

/** Its transaction may have begun, and waited for its turn, while another export still ran: by `now()` more would seem to run than may. */
const claimedAt = 'statement_timestamp()'

/** Many ask for a status at the same time: they share a statement every few ms; two are under way at most. */
const gathering = { pauseMs: 2, atOnce: 2 }

/** The records of exports in schema longhaul of the control database. All errors are SourceErrors besides. */
export function createExportRecords(database: Database): ExportRecords {
  const rows = async (text: string, values: readonly unknown[], query = database.query) =>
    (await query<ExportRow>(text, values)).rows

  /** One guarded update: the record when the guard held, else undefined. */
  async function update(
    id: string,
    set: string,
    where: string,
    values: readonly unknown[] = [],
    query?: Query,
  ) {
    if (!uuid.test(id)) throw new NotFoundError(id)
    const [row] = await rows(
      `update longhaul.exports set ${set} where id = $1 and ${where} returning ${exportColumns}`,
      [id, ...values],
      query,
    )
    return row === undefined ? undefined : exportFromRow(row)
  }

  async function find(ids: readonly string[]) {
    const found = await rows(
      `select ${exportColumns} from longhaul.exports where id = any($1::uuid[])`,
      [ids],
    )
    return new Map(found.map((row) => [row.id, exportFromRow(row)]))
  }
  const findOne = gather(find, gathering)

  async function get(id: string) {
    // anything that is no uuid would be an error of the database rather than an unknown id
    const record = uuid.test(id) ? await findOne(id.toLowerCase()) : undefined
    if (record === undefined) throw new NotFoundError(id)
    return record
  }

  return {
    get,

    getMany: async (ids) => [...(await find(ids.filter((id) => uuid.test(id)))).values()],

    create: (draft) => createRecord(database.query, draft),

    async list({ requestedBy, state, limit, cursor }) {
      const after = cursor === undefined ? undefined : parseCursor(cursor)
      const found = await rows(
        `select ${exportColumns} from longhaul.exports
         where ($1::text is null or state = $1)
           and ($2::timestamptz is null or (created_at, id) < ($2, $3))
           and ($5::text is null or requested_by = $5)
         order by created_at desc, id desc
         limit $4`,
        [
          ...[state ?? null, after?.createdAt ?? null, after?.id ?? null, limit + 1],
          requestedBy ?? null,
        ],
      )
      const page = found.slice(0, limit).map(exportFromRow)
      const last = page.at(-1)
      const more = found.length > limit && last !== undefined
      return {
        exports: page,
        ...(more ? { nextCursor: formatCursor(last.createdAt, last.id) } : {}),
      }
    },

    async claim(id, { leaseMs, perKey }) {
      const take = (query?: Query) =>
        update(
          id,
          `${become('claim')}, attempt = attempt + 1, held_back = false,
         failures = failures + (case when state = 'running' and rows <= highest_rows then 1 else 0 end),
         highest_rows = greatest(highest_rows, rows), rows = 0, bytes = 0, snapshot_at = null,
         history = ${endedIfRunning('lost')},
         lease_until = ${claimedAt} + ${ms('$2')}, started_at = coalesce(started_at, ${claimedAt}),
         attempt_at = ${claimedAt}, progress_at = null`,
          `${guard('claim')} and (state = 'queued' or lease_until < ${claimedAt})`,
          [leaseMs],
          query,
        )
      const claimed = await (perKey === undefined || !uuid.test(id)
        ? take()
        : database.transaction(async (query) =>
            (await holdBack(query, id, perKey)) ? undefined : take(query),
          ))
      if (claimed === undefined) await get(id)
      return claimed
    },

    admit: (requestedBy, options) =>
      database.transaction((query) => admit(query, requestedBy, options)),

    keysHeldBack: () => keysHeldBack(database.query),

    async progress({ id, attempt }, { rows, bytes, estimatedRows, snapshotAt, leaseMs }) {
      const updated = await update(
        id,
        `rows = $3, bytes = $4, estimated_rows = coalesce($5, estimated_rows),
         snapshot_at = coalesce($6, snapshot_at), progress_at = now(),
         lease_until = now() + ${ms('$7')}`,
        `attempt = $2 and state = 'running'`,
        [attempt, rows, bytes, estimatedRows ?? null, snapshotAt ?? null, leaseMs],
      )
      return updated !== undefined
    },

    async complete({ id, attempt }, artifact, { finishedAt, expiresAt, snapshotAt, replayedAt }) {
      const updated = await update(
        id,
        `${become('complete')}, artifact = $3, rows = $4, bytes = $5, finished_at = $6,
         expires_at = $7, snapshot_at = $8, replayed_at = $9, lease_until = null, error = null,
         history = ${ended('completed', '$4')}`,
        `attempt = $2 and ${guard('complete')}`,
        [
          ...[attempt, JSON.stringify(artifact), artifact.rows, rawBytes(artifact)],
          ...[finishedAt, expiresAt, snapshotAt, replayedAt ?? null],
        ],
      )
      return updated !== undefined
    },

    async fail({ id, attempt }, { error, again, failures, rows, at }) {
      const transition = again ? 'requeue' : 'fail'
      const updated = await update(
        id,
        `${become(transition)}, error = $3, failures = $4, highest_rows = greatest(highest_rows, $5),
         finished_at = $6, lease_until = null, history = ${ended('failed', '$5', '$3')}`,
        `attempt = $2 and ${guard(transition)}`,
        [attempt, JSON.stringify(error), failures, rows, again ? null : at],
      )
      return updated !== undefined
    },

    async release({ id, attempt }) {
      const updated = await update(
        id,
        `${become('requeue')}, highest_rows = greatest(highest_rows, rows), lease_until = null,
         history = ${ended('interrupted')}`,
        `attempt = $2 and ${guard('requeue')}`,
        [attempt],
      )
      return updated !== undefined
    },

    async cancel(id, at) {
      const set = `${become('cancel')}, finished_at = $2, lease_until = null,
        history = ${endedIfRunning('canceled')}`
      const canceled = await update(id, set, guard('cancel'), [at])
      if (canceled === undefined) await get(id)
      return canceled
    },

    async listUnattended({ before, limit, after }) {
      const found = await rows(
        `select ${exportColumns} from longhaul.exports
         where state in ('queued', 'running')
           and (state = 'queued' and not held_back or state = 'running' and lease_until < now())
           and created_at < $1 and ($2::timestamptz is null or (created_at, id) > ($2, $3))
         order by created_at, id
         limit $4`,
        [before, after?.createdAt ?? null, after?.id ?? null, limit],
      )
      return found.map(exportFromRow)
    },

    async redispatch(id, dispatch) {
      const where = `dispatch = $2 and state in ('queued', 'running')`
      const updated = await update(id, 'dispatch = dispatch + 1', where, [dispatch])
      if (updated === undefined) await get(id)
      return updated
    },

    countUnfinished: () => countUnfinished(database.query),

    async listDue({ limit }) {
      const found = await rows(
        `select ${exportColumns} from longhaul.exports
         where state = 'completed' and expires_at <= now()
         order by expires_at
         limit $1`,
        [limit],
      )
      return found.map(exportFromRow)
    },

    async expire(id, at) {
      const set = `${become('expire')}, expires_at = least(expires_at, $2)`
      const expired = await update(id, set, guard('expire'), [at])
      if (expired === undefined) await get(id)
      return expired
    },

    async relocate(id, from, { key, etag }) {
      const moved = await update(
        id,
        `artifact = artifact || jsonb_build_object('key', $3::text, 'etag', $4::text)`,
        `state = 'completed' and artifact ->> 'key' = $2`,
        [from, key, etag],
      )
      return moved !== undefined
    },
  }
}
