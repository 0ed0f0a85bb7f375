import { SpecError } from '../errors.ts'

/** As `randomUUID` writes an id: what is no uuid would be an error of the database rather than an unknown id. */
export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Where a page of a list ended. */
export const formatCursor = (createdAt: Date, id: string) =>
  Buffer.from(`${createdAt.toISOString()}/${id}`).toString('base64url')

/** @throws SpecError when it is not one of ours */
export function parseCursor(cursor: string): { createdAt: string; id: string } {
  const [createdAt = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('/')
  const time = new Date(createdAt)
  // only what formatCursor writes: Date.parse takes more than the database does
  const ours = !Number.isNaN(time.getTime()) && time.toISOString() === createdAt
  if (!ours || !/^(?!0000)\d{4}-/.test(createdAt) || !uuid.test(id)) {
    throw new SpecError(
      'SPEC_INVALID',
      `cursor: expected the next_cursor of an earlier page, got ${JSON.stringify(cursor.slice(0, 80))}.`,
    )
  }
  return { createdAt, id }
}
