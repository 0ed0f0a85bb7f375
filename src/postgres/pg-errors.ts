import pg from 'pg'
import { ExportError, SourceError } from '../errors.ts'

/** Which database an error came from, as a person would name it. */
export type DatabaseRole = 'source database' | 'control database'

/**
 * SQLSTATE classes and codes that may pass by themselves: connection, resources, operator, system,
 * and a server that is read-only during a failover. PostgreSQL documentation, appendix A.
 */
const unavailable = /^(08|53|57P|58|XX000|25006)/
/** Serialization failure (a standby's conflict with recovery, too), deadlock, lock not available. */
const transient = /^(40|55P03)/
/** Canceled by statement_timeout or by somebody; idle and transaction timeouts. */
const timeout = /^(57014|25P03|25P04)/

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
    if (timeout.test(code)) return new SourceError('SOURCE_TIMEOUT', message, details)
    if (unavailable.test(code) || transient.test(code)) {
      return new SourceError('SOURCE_UNAVAILABLE', message, details)
    }
    return new SourceError('SOURCE_QUERY_FAILED', message, details)
  }
  const reason = error instanceof Error ? describe(error) : String(error)
  return new SourceError('SOURCE_UNAVAILABLE', `The ${role} cannot be reached: ${reason}.`, {
    cause: error,
    hint: 'Check that it runs, and host and port in the database URL.',
  })
}

/** What the server said; of a value that is wrong, the detail says what is wrong with it. */
export function answerOf(
  { message, detail, code = '' }: pg.DatabaseError,
  role: DatabaseRole,
): string {
  const why = code.startsWith('22') && detail !== undefined ? `: ${detail.replace(/\.$/, '')}` : ''
  return `${role} said: ${message}${why} (SQLSTATE ${code}).`
}

/** Node reports several refused addresses as one AggregateError without a message. */
const describe = (error: Error): string =>
  error instanceof AggregateError
    ? error.errors
        .map((each: unknown) => (each instanceof Error ? each.message : String(each)))
        .join(', ')
    : error.message
