import {
  createRowSource,
  type PostgresRowSource,
  type RowSourceOptions,
} from '../../src/postgres/snapshot.ts'
import { sourceLimits } from '../../src/postgres/source-limits.ts'
import { MiB } from '../../src/runtime/units.ts'

export interface RoomySourceOptions extends Partial<Omit<RowSourceOptions, 'limits'>> {
  readonly limits?: Partial<RowSourceOptions['limits']>
}

/** A row source with one reader, and limits that no test comes to, unless it says otherwise. */
export function roomySource(
  url: string,
  { limits, ...options }: RoomySourceOptions = {},
): PostgresRowSource {
  const roomy = sourceLimits({ stallMs: 60_000, maxMs: 3_600_000 })
  return createRowSource(url, {
    readers: 1,
    segmentBytes: 4 * MiB,
    readAheadBytes: 8 * MiB,
    ...options,
    limits: { ...roomy, ...limits },
  })
}
