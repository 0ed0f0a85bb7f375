import pg from 'pg'
import { ExportError, SourceError } from '../errors.ts'

/** Which database an error came from, as a person would name it. */
export type DatabaseRole = 'source database' | 'control database'

type SourceCode = ConstructorParameters<typeof SourceError>[0]

/** SQLSTATE classes and codes, the first that matches; any other is permanent. Documentation, appendix A. */
const meanings: readonly (readonly [RegExp, SourceCode])[] = [
  // canceled by statement_timeout or by somebody; idle and transaction timeouts
  [/^(57014|25P03|25P04)/, 'SOURCE_TIMEOUT'],
  // connection; resources, but not a limit that is configured, as of temporary files; operator; system
  [/^(08|53(?!400)|57P|58|XX000)/, 'SOURCE_UNAVAILABLE'],
  // serialization failure, deadlock, lock not available
  [/^(40|55P03)/, 'SOURCE_UNAVAILABLE'],
]
const meaningsOfRole: Readonly<Record<DatabaseRole, typeof meanings>> = {
  'source database': [
    // It needed what a snapshot still shows: a standby to go on replaying ("Handling query conflicts",
    // documentation of hot standby), PostgreSQL 16 and older also for old_snapshot_threshold. Nothing
    // else is a serialization failure to a transaction that only reads.
    [/^(40001|72000)/, 'SOURCE_CONFLICT'],
    ...meanings,
  ],
  // read-only during a failover
  'control database': [[/^25006/, 'SOURCE_UNAVAILABLE'], ...meanings],
}

/** What a person can do about the mistakes that configuration makes, whichever database it is. */
const hints: Readonly<Record<string, string>> = {
  '28P01': 'Check user and password in the database URL.',
  '28000': 'Check user, database and pg_hba.conf: the server refused this connection.',
  '3D000': 'Check the database name in the database URL, or create the database.',
}

const createTables =
  'Run `longhaul migrate --reference-schema`, or create views with these names in the source.'
const findValue =
  "A view seems to convert a value that cannot be converted. Find it in the table behind: for a cast to jsonb, `where not pg_input_is_valid(column::text, 'jsonb')` (PostgreSQL 16 or newer)."
const migrateControl = 'Run `longhaul migrate`.'

/** By SQLSTATE, or by its class: the first two characters. */
const hintsOfRole: Readonly<Record<DatabaseRole, Readonly<Record<string, string>>>> = {
  'source database': {
    '3F000': createTables,
    '42P01': createTables,
    '42501': 'Grant select on the tables of schema context_services to this user.',
    '42703': 'Compare the tables or views with the reference schema that the README links to.',
    '40001':
      'Set hot_standby_feedback = on or a larger max_standby_streaming_delay on the standby, point SOURCE_DATABASE_URL to the primary, or export shorter ranges.',
    '72000': 'Raise old_snapshot_threshold in the source, or export shorter ranges.',
    '57014':
      'See in pg_stat_activity what the query waits for, such as a lock; to end an export for good, use `longhaul cancel`.',
    '25P03':
      'See why this process took no rows for so long, such as for lack of CPU or memory; STALL_SECONDS is the limit.',
    '25P04': 'Export a shorter range, or allow more with EXPORT_MAX_SECONDS.',
    '25006': 'Call no function that writes in a view: the source is only ever read.',
    '53400': 'Raise this limit for the user of the source, or export shorter ranges.',
    '22': findValue,
    '54': findValue,
  },
  'control database': {
    '3F000': migrateControl,
    '42P01': migrateControl,
    '42703': migrateControl,
    '42501': 'Grant this user all rights on the schemas longhaul and longhaul_queue.',
  },
}

/**
 * The error of the driver as ours. An ExportError passes unchanged; our own kinds carry no driver
 * text beyond the server's message, which names no password.
 */
export function translatePgError(error: unknown, role: DatabaseRole): ExportError {
  if (error instanceof ExportError) return error
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? ''
    const message = `The ${answerOf(error, role)}`
    const roleHints = hintsOfRole[role]
    const hint = hints[code] ?? roleHints[code] ?? roleHints[code.slice(0, 2)]
    const details = { cause: error, hint }
    const meaning = meaningsOfRole[role].find(([states]) => states.test(code))
    return new SourceError(meaning?.[1] ?? 'SOURCE_QUERY_FAILED', message, details)
  }
  const reason = error instanceof Error ? describe(error) : String(error)
  return new SourceError('SOURCE_UNAVAILABLE', `The ${role} cannot be reached: ${reason}.`, {
    cause: error,
    hint: 'Check that it runs, and host and port in the database URL.',
  })
}

/** What the server said; of a wrong value, or a conflict, the detail says what is wrong with it. */
export function answerOf(
  { message, detail, code = '' }: pg.DatabaseError,
  role: DatabaseRole,
): string {
  const why =
    /^(22|40001)/.test(code) && detail !== undefined ? `: ${detail.replace(/\.$/, '')}` : ''
  return `${role} said: ${message}${why} (SQLSTATE ${code}).`
}

/** Node reports several refused addresses as one AggregateError without a message. */
const describe = (error: Error): string =>
  error instanceof AggregateError
    ? error.errors
        .map((each: unknown) => (each instanceof Error ? each.message : String(each)))
        .join(', ')
    : error.message
