import pg from 'pg'
import { SourceError, SpecError } from '../../errors.ts'
import { translatePgError } from '../pg-errors.ts'
import * as sql from './seed-services-sql.ts'
import { buildTemplates } from './seed-templates.ts'
import { idPrefixes, partPrefixes } from './seed-words.ts'

export interface SeedOptions {
  /** How many, from 1. Two states and two tasks each on average. */
  readonly services: number
  /** A whole number: the same one gives the same rows, another one gives other ids. */
  readonly seed: number
  /** Services start in `[from, to)`, but for a few that are far off. Default: July 2014, UTC. */
  readonly from?: Date
  readonly to?: Date
  /** Called after each chunk with the number of services that are there by now. */
  readonly onProgress?: (services: number) => void
  readonly signal?: AbortSignal
}

/** The rows that were added: those that were there already do not count. */
export interface Seeded {
  readonly services: number
  readonly states: number
  readonly tasks: number
  readonly elapsedMs: number
}

/** A fixed month, so that the rows do not depend on the day they are made. */
const defaultFrom = new Date('2014-07-01T00:00:00.000Z')
const defaultTo = new Date('2014-08-01T00:00:00.000Z')

/** Services in one transaction, which takes less than a second. */
const chunkSize = 20_000

/** Round times, on which bursts fall, split the span in so many: every six hours of July. */
const roundTimes = 124

/**
 * Fills the reference tables with services as they occur, oddities included. Rows whose ids exist are
 * left alone, so it is safe to run twice; the first n services of a seed are the same whatever the
 * total. The client must not be in a transaction. When it throws, whole chunks may have been added.
 * @throws SpecError, SourceError, or the signal's reason
 */
export async function seedServices(client: pg.ClientBase, options: SeedOptions): Promise<Seeded> {
  const span = parseSpan(options)
  const startedAt = performance.now()
  try {
    await loadTemplates(client, options.seed)
    const added = await insertChunks(client, span, options)
    await client.query(sql.tidyTables)
    return { ...added, elapsedMs: Math.round(performance.now() - startedAt) }
  } catch (error) {
    throw error === options.signal?.reason ? error : translateSeedError(error)
  } finally {
    // the connection may be what failed
    await client.query(sql.dropTemplates).catch(() => undefined)
  }
}

interface Span {
  readonly from: Date
  readonly microseconds: number
}

function parseSpan({ services, seed, from = defaultFrom, to = defaultTo }: SeedOptions): Span {
  if (!Number.isSafeInteger(services) || services < 1) {
    throw invalid('services', 'a whole number from 1', services)
  }
  if (!Number.isSafeInteger(seed)) throw invalid('seed', 'a whole number', seed)
  const milliseconds = to.getTime() - from.getTime()
  if (!(milliseconds > 0)) throw invalid('to', 'a time after from', String(to))
  return { from, microseconds: milliseconds * 1000 }
}

const invalid = (name: string, expected: string, got: number | string): SpecError =>
  new SpecError('SPEC_INVALID', `${name}: expected ${expected}, got ${got}.`)

async function loadTemplates(client: pg.ClientBase, seed: number): Promise<void> {
  await client.query(sql.dropTemplates)
  await client.query(sql.createTemplates)
  await client.query(sql.insertTemplates, [JSON.stringify(buildTemplates(seed))])
  await client.query(sql.analyzeTemplates)
}

type Counts = Omit<Seeded, 'elapsedMs'>

async function insertChunks(
  client: pg.ClientBase,
  span: Span,
  { services, seed, onProgress, signal }: SeedOptions,
): Promise<Counts> {
  const total = { services: 0, states: 0, tasks: 0 }
  let insert = sql.insertNewChunk
  for (let first = 1; first <= services; first += chunkSize) {
    signal?.throwIfAborted()
    const last = Math.min(first + chunkSize - 1, services)
    const values = chunkValues(first, last, seed, span)
    const added = await inTransaction(client, insert, values).catch((error: unknown) => {
      if (!hasState(error, uniqueViolation)) throw error
      // rows of this seed are there already, so it is likely that there are more
      insert = sql.insertMissingOfChunk
      return inTransaction(client, insert, values)
    })
    total.services += added.services
    total.states += added.states
    total.tasks += added.tasks
    onProgress?.(last)
  }
  return total
}

const chunkValues = (first: number, last: number, seed: number, span: Span): readonly unknown[] => [
  first,
  last,
  seed,
  span.from.toISOString(),
  span.microseconds,
  Math.ceil(span.microseconds / roundTimes),
  idPrefixes,
  partPrefixes,
]

async function inTransaction(
  client: pg.ClientBase,
  insert: string,
  values: readonly unknown[],
): Promise<Counts> {
  await client.query('begin')
  try {
    await client.query(sql.tuneTransaction)
    const result = await client.query<Counts>(insert, [...values])
    await client.query('commit')
    return result.rows[0] ?? { services: 0, states: 0, tasks: 0 }
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/** SQLSTATEs. PostgreSQL documentation, appendix A. */
const uniqueViolation = '23505'
const undefinedTable = '42P01'
const undefinedSchema = '3F000'

const hasState = (error: unknown, ...states: readonly string[]): boolean =>
  error instanceof pg.DatabaseError && states.includes(error.code ?? '')

function translateSeedError(error: unknown): Error {
  if (!hasState(error, undefinedTable, undefinedSchema)) {
    return translatePgError(error, 'source database')
  }
  return new SourceError('SOURCE_QUERY_FAILED', 'The reference tables do not exist.', {
    hint: 'Run `longhaul migrate --reference-schema` first.',
    cause: error,
  })
}
