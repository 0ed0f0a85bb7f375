import { sourceLimits } from '../../src/postgres/source-limits.ts'

/** Limits of a row source that no test comes to. */
export const roomyLimits = sourceLimits({ stallMs: 60_000, maxMs: 3_600_000 })
