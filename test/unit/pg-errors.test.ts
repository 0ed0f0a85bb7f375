import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { SourceError, SpecError } from '../../src/errors.ts'
import { translatePgError } from '../../src/postgres/pg-errors.ts'

function serverError(code: string, message = 'what the server said'): pg.DatabaseError {
  const error = new pg.DatabaseError(message, 0, 'error')
  error.code = code
  return error
}

describe('an answer of PostgreSQL', () => {
  it.each([
    ['08006', 'SOURCE_UNAVAILABLE', 'connection failure'],
    ['53300', 'SOURCE_UNAVAILABLE', 'too many connections'],
    ['53100', 'SOURCE_UNAVAILABLE', 'disk full'],
    ['57P01', 'SOURCE_UNAVAILABLE', 'admin shutdown'],
    ['57P02', 'SOURCE_UNAVAILABLE', 'crash shutdown'],
    ['57P03', 'SOURCE_UNAVAILABLE', 'cannot connect now'],
    ['40001', 'SOURCE_CONFLICT', 'conflict of a standby with recovery'],
    ['72000', 'SOURCE_CONFLICT', 'snapshot too old'],
    ['40P01', 'SOURCE_UNAVAILABLE', 'deadlock'],
    ['55P03', 'SOURCE_UNAVAILABLE', 'lock not available'],
    ['25P03', 'SOURCE_TIMEOUT', 'idle in transaction timeout'],
    ['XX000', 'SOURCE_UNAVAILABLE', 'internal error'],
    ['58030', 'SOURCE_UNAVAILABLE', 'input/output error'],
    ['57014', 'SOURCE_TIMEOUT', 'query canceled'],
    ['25P04', 'SOURCE_TIMEOUT', 'transaction timeout'],
    ['25006', 'SOURCE_QUERY_FAILED', 'a view that writes'],
    ['53400', 'SOURCE_QUERY_FAILED', 'a limit of the configuration, as of temporary files'],
    ['XX001', 'SOURCE_QUERY_FAILED', 'corrupted data'],
    ['42P01', 'SOURCE_QUERY_FAILED', 'undefined table'],
    ['42703', 'SOURCE_QUERY_FAILED', 'undefined column'],
    ['42501', 'SOURCE_QUERY_FAILED', 'insufficient privilege'],
    ['3D000', 'SOURCE_QUERY_FAILED', 'no such database'],
    ['28P01', 'SOURCE_QUERY_FAILED', 'wrong password'],
    ['28000', 'SOURCE_QUERY_FAILED', 'not in pg_hba.conf'],
    ['22P02', 'SOURCE_QUERY_FAILED', 'invalid text'],
    ['23505', 'SOURCE_QUERY_FAILED', 'unique violation'],
    ['', 'SOURCE_QUERY_FAILED', 'no code'],
  ])('%s means %s: %s', (sqlState, code) => {
    const cause = serverError(sqlState)
    const error = translatePgError(cause, 'source database')
    expect(error).toBeInstanceOf(SourceError)
    expect(error).toMatchObject({ code, retryable: code !== 'SOURCE_QUERY_FAILED', cause })
    expect(error.message).toContain('source database')
    expect(error.message).toContain('what the server said')
    expect(error.message).toContain(`SQLSTATE ${sqlState}`)
  })

  it.each([
    ['28P01', 'password'],
    ['3D000', 'database name'],
    ['42P01', 'longhaul migrate --reference-schema'],
    ['42501', 'Grant select'],
    ['40001', 'hot_standby_feedback'],
    ['72000', 'old_snapshot_threshold'],
    ['57014', 'pg_stat_activity'],
    ['25P03', 'STALL_SECONDS'],
    ['25P04', 'EXPORT_MAX_SECONDS'],
    ['25006', 'only ever read'],
    ['53400', 'Raise this limit'],
    ['22P05', 'pg_input_is_valid'],
    ['22007', 'pg_input_is_valid'],
    ['54001', 'pg_input_is_valid'],
  ])('%s tells what can be done: %s', (sqlState, hint) => {
    expect(translatePgError(serverError(sqlState), 'source database').hint).toContain(hint)
  })
})

describe('an answer of the control database', () => {
  it.each([
    ['25006', 'SOURCE_UNAVAILABLE', 'read-only during a failover'],
    ['40001', 'SOURCE_UNAVAILABLE', 'serialization failure'],
    ['42P01', 'SOURCE_QUERY_FAILED', 'undefined table'],
  ])('%s means %s: %s', (sqlState, code) => {
    expect(translatePgError(serverError(sqlState), 'control database')).toMatchObject({ code })
  })
})

describe('the detail of an answer', () => {
  it.each([
    ['22P05', 'The source database said: no such form: the value is odd (SQLSTATE 22P05).'],
    ['40001', 'The source database said: no such form: the value is odd (SQLSTATE 40001).'],
    // may hold more of the data than whoever asked should see
    ['23505', 'The source database said: no such form (SQLSTATE 23505).'],
  ])('is told of a value that is wrong, and of nothing else: %s', (sqlState, message) => {
    const cause = serverError(sqlState, 'no such form')
    cause.detail = 'the value is odd.'
    expect(translatePgError(cause, 'source database').message).toBe(message)
  })
})

describe('no answer of PostgreSQL', () => {
  it.each([
    [new Error('Connection terminated unexpectedly'), 'Connection terminated unexpectedly'],
    [
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }),
      'connect ECONNREFUSED 127.0.0.1:5432',
    ],
    [
      new AggregateError([
        new Error('connect ECONNREFUSED ::1:5432'),
        new Error('connect ECONNREFUSED 127.0.0.1:5432'),
      ]),
      'connect ECONNREFUSED ::1:5432, connect ECONNREFUSED 127.0.0.1:5432',
    ],
    ['a string', 'a string'],
  ])('means that it is unavailable for now: %s', (cause, reason) => {
    const error = translatePgError(cause, 'control database')
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true, cause })
    expect(error.message).toBe(`The control database cannot be reached: ${reason}.`)
    expect(error.hint).toContain('host and port')
  })

  it('passes our own errors on as they are', () => {
    const error = new SpecError('SPEC_INVALID', 'x')
    expect(translatePgError(error, 'source database')).toBe(error)
  })
})
