import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { onTestFinished } from 'vitest'

/** A user with these rights and no others. @returns the same database for it */
export async function createRole(
  pool: pg.Pool,
  grants: (name: string) => readonly string[],
): Promise<(url: string) => string> {
  const name = `doctor_${randomBytes(6).toString('hex')}`
  await pool.query(`create role ${name} login password 'reading-reading'`)
  onTestFinished(async () => {
    await pool.query(`drop owned by ${name}; drop role ${name}`)
  })
  for (const grant of grants(name)) await pool.query(grant)
  return (databaseUrl) => {
    const url = new URL(databaseUrl)
    url.username = name
    url.password = 'reading-reading'
    return url.href
  }
}
