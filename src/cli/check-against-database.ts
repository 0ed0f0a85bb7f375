import { createHash } from 'node:crypto'
import { findDataset } from '../datasets/registry.ts'
import type { ExportView } from '../http/schemas.ts'
import { connect } from '../postgres/pool.ts'

/** Rows fetched at once. */
const fetchRows = 5000

export interface DirectRead {
  readonly rows: number
  /** Of the artifact that these rows make, lower-case hex. */
  readonly sha256: string
}

/**
 * Reads an export's rows straight from the database, by SQL cursors and without the pipeline, and
 * digests the array they make: what the artifact must agree with.
 * @throws SourceError
 */
export async function readDirectly(
  databaseUrl: string,
  { request }: ExportView,
): Promise<DirectRead> {
  const queries = findDataset(request.dataset).queries({
    from: request.time_from,
    to: request.time_to,
    events: request.filter_events as 'any',
    state: request.filter_state as 'any',
    content: request.export_content,
  })
  const hash = createHash('sha256').update('[')
  let rows = 0
  const client = await connect(databaseUrl, 'source database')
  try {
    await client.query('begin isolation level repeatable read read only')
    for (const { text, values } of queries) {
      await client.query(`declare direct cursor for ${text}`, [...values])
      for (;;) {
        const batch = await client.query<{ element: string }>(`fetch ${fetchRows} from direct`)
        if (batch.rows.length === 0) break
        const elements = batch.rows.map(({ element }) => element)
        hash.update((rows === 0 ? '' : ',\n') + elements.join(',\n'))
        rows += batch.rows.length
      }
      await client.query('close direct')
    }
    return { rows, sha256: hash.update(']').digest('hex') }
  } finally {
    await client.end()
  }
}
