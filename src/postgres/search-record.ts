import pg from 'pg'
import type { DatasetQuery } from '../datasets/dataset.ts'
import type { ExportError } from '../errors.ts'
import { answerOf } from './pg-errors.ts'

/**
 * SQLSTATE classes of the errors that a value makes: data exception (such as a cast of a view), limit
 * of the program (such as nesting), raised by a function.
 */
const madeByValue = /^(22|54|P0)/

/** Records looked at together: more than can have been on their way when the statement failed. */
const windowRecords = 1000

export interface FailedQuery {
  readonly query: DatasetQuery
  readonly error: unknown
  /** Rows that had arrived before the error. */
  readonly arrived: number
}

/**
 * Finds the record at which a statement failed, when the database does not tell. Rows come in a known
 * order, so it is mostly one of the next behind those that arrived; a plan that sorts, though, fails
 * before the first. To be called in the transaction that failed, which has a savepoint of this name.
 * @returns the error that names the record; undefined when no value is to blame, or none of a document
 * @throws what else goes wrong
 */
export async function searchRecord(
  client: pg.Client,
  savepoint: string,
  { query: { values, search }, error, arrived }: FailedQuery,
): Promise<ExportError | undefined> {
  if (search === undefined || !(error instanceof pg.DatabaseError)) return undefined
  if (!madeByValue.test(error.code ?? '')) return undefined
  const next = values.length + 1

  const idsBehind = async (skipped: number): Promise<readonly string[]> => {
    const text = `${search.ids} offset $${next} limit $${next + 1}`
    const config = { text, values: [...values, skipped, windowRecords], rowMode: 'array' } as const
    const { rows } = await client.query<[string]>(config)
    return rows.map(([id]) => id)
  }
  const anyFails = async (ids: readonly string[]): Promise<boolean> => {
    try {
      // renders and encodes each document, and sends none
      const text = `select count(textsend(element)) from (${search.among}) documents`
      await client.query(text, [...values, ids])
      return false
    } catch (failure) {
      if (!(failure instanceof pg.DatabaseError) || failure.code !== error.code) throw failure
      await client.query(`rollback to savepoint ${savepoint}`)
      return true
    }
  }

  await client.query(`rollback to savepoint ${savepoint}`)
  for (let skipped = arrived; ; skipped += windowRecords) {
    let suspects = await idsBehind(skipped)
    if (suspects.length === 0) return undefined
    if (!(await anyFails(suspects))) continue
    while (suspects.length > 1) {
      const half = suspects.slice(0, suspects.length / 2)
      suspects = (await anyFails(half)) ? half : suspects.slice(half.length)
    }
    return search.failure(suspects[0] ?? '', `the ${answerOf(error, 'source database')}`)
  }
}
