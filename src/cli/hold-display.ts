import type { KnownHold } from '../archive/model.ts'

/** A hold for a person. */
export function describeHold({ hold, dates: { from, to } }: KnownHold): string {
  const range = to === undefined ? `from ${from} on` : from === to ? from : `${from} to ${to}`
  return `hold ${hold.id}: ${hold.archive} ${range}: ${hold.reason}`
}

/** And as JSON. */
export const viewHold = ({ hold, dates }: KnownHold) => ({
  ...{ id: hold.id, archive: hold.archive, ...dates, reason: hold.reason },
  placed_at: hold.placedAt.toISOString(),
})
