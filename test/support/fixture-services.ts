import type pg from 'pg'

/** R of domain.md section 3. */
export const fixtureRange = {
  time_from: '2014-07-22T12:00:00.000Z',
  time_to: '2014-07-22T18:00:00.000Z',
} as const

/** Hours of 22 July 2014, UTC: id, started, completed (null: still open). */
const fixtures: readonly (readonly [string, number, number | null])[] = [
  ['S1', 13, 19],
  ['S2', 14, null],
  ['S3', 10, 15],
  ['S4', 13, 14],
  ['S5', 10, null],
  ['S6', 10, 19],
  ['S7', 12, null],
  ['S8', 18, null],
  ['S9', 19, null],
]

/** What each combination of filters selects, in the order of the export. */
export const fixtureSelections = [
  ['any', 'any', ['S7', 'S1', 'S4', 'S2', 'S3']],
  ['any', 'active', ['S7', 'S2']],
  ['any', 'inactive', ['S1', 'S4', 'S3']],
  ['started', 'any', ['S7', 'S1', 'S4', 'S2']],
  ['started', 'active', ['S7', 'S2']],
  ['started', 'inactive', ['S1', 'S4']],
  ['completed', 'any', ['S4', 'S3']],
  ['completed', 'active', []],
  ['completed', 'inactive', ['S4', 'S3']],
] as const

const at = (hour: number) => `2014-07-22T${String(hour).padStart(2, '0')}:00:00Z`

export interface ServiceRow {
  readonly service_id: string
  readonly service_type?: string
  readonly customer_id?: string
  readonly started_at: string
  readonly started?: unknown
  readonly completed_at?: string | null
  readonly completed?: unknown
  readonly extensions?: unknown
}

/** Inserts one service; what is not given is as plain as it can be. */
export async function insertService(pool: pg.Pool, row: ServiceRow): Promise<void> {
  const { completed_at: completedAt = null } = row
  await pool.query(
    `insert into context_services.services
       (service_id, service_type, customer_id, started_at, started, completed_at, completed, extensions)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      row.service_id,
      row.service_type ?? '100',
      row.customer_id ?? null,
      row.started_at,
      JSON.stringify(row.started ?? {}),
      completedAt,
      completedAt === null ? null : JSON.stringify(row.completed ?? {}),
      JSON.stringify(row.extensions ?? {}),
    ],
  )
}

/** S1 to S9 of domain.md section 3. */
export async function insertFixtureServices(pool: pg.Pool): Promise<void> {
  for (const [id, started, completed] of fixtures) {
    await insertService(pool, {
      service_id: id,
      started_at: at(started),
      completed_at: completed === null ? null : at(completed),
    })
  }
}
