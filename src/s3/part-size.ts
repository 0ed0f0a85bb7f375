import { MiB } from '../runtime/units.ts'

/** Amazon S3 user guide, "Multipart upload limits". */
export const maxParts = 10_000
const minPartBytes = 5 * MiB

const defaultPartBytes = 8 * MiB
/** Parts in flight times this is what an upload holds in memory. */
const maxPartBytes = 32 * MiB

/** Some stores want all parts the same size: it is fixed before the first byte, and must already fit the last one. */
export interface PartPlan {
  readonly partBytes: number
  /** The largest object that this part size can store. */
  readonly maxBytes: number
}

/**
 * Chooses the part size, in whole MiB, for an object of about `estimatedBytes`. An estimate that
 * is twice too small still fits; beyond what memory allows, the largest size is taken.
 */
export function planParts(estimatedBytes = 0): PartPlan {
  const needed = Math.ceil((2 * estimatedBytes) / maxParts / MiB) * MiB
  const partBytes = Math.max(minPartBytes, defaultPartBytes, Math.min(needed, maxPartBytes))
  return { partBytes, maxBytes: partBytes * maxParts }
}

/**
 * An estimate may be so many times too large before it counts. The rows are the planner's guess, which
 * may miss by several times; the bytes of a row are what a dataset takes for a large one, several
 * times the usual. To refuse what would have fitted is worse than to find out late.
 */
const doubt = 10

/** Whether an object that is expected to have so many bytes cannot be meant to fit this plan. */
export const isFarBeyond = ({ maxBytes }: PartPlan, estimatedBytes = 0): boolean =>
  estimatedBytes > doubt * maxBytes
