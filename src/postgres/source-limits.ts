/** What the source database itself ends, for the case that this process no longer can; ms. */
export interface SourceLimits {
  /** One statement; each batch of rows is one. */
  readonly statementMs: number
  /** Waiting for us to take what a statement has written, which statementMs does not end. */
  readonly writeMs: number
  /** Within the transaction, between two statements: while nobody takes rows. */
  readonly idleMs: number
  /** The transaction, and with it the snapshot; by PostgreSQL 17 and newer. */
  readonly transactionMs: number
}

/** How much later the server acts than we do, whose error says more, ms. */
const marginMs = 30_000

/** PostgreSQL counts no further, nor does a timer of Node: 24 days. */
export const longestMs = 2 ** 31 - 1

export interface OwnLimits {
  /** No row read, and none taken, for so long ends what is read, ms. */
  readonly stallMs: number
  /** All of it taking longer does, too, ms. */
  readonly maxMs: number
  /** How long one batch of rows may wait to be taken whole, ms. Default: `stallMs`. */
  readonly takeMs?: number
  /** How long a reader may rest while what was read ahead is taken, ms. Default: `takeMs`. */
  readonly restMs?: number
}

/** The limits of the server, behind our own limits whichever of them it may be. */
export function sourceLimits({
  stallMs,
  maxMs,
  takeMs = stallMs,
  restMs = takeMs,
}: OwnLimits): SourceLimits {
  const behind = (ms: number) => Math.min(ms + marginMs, longestMs)
  return {
    // a batch is read ahead while the one before is taken: both waits, one after the other, may cover it
    statementMs: behind(takeMs + stallMs),
    writeMs: behind(stallMs),
    idleMs: behind(restMs),
    transactionMs: behind(maxMs),
  }
}
