/**
 * How many read from one source at once. Each snapshot has a first reader of its own; others join it only while
 * all of all snapshots are no more than `readers`: exports that run at the same time in one process share its
 * processor, and more readers make none of them faster.
 */
export interface ReaderShares {
  first(): ReaderShare
  /** Undefined while there are enough. */
  another(): ReaderShare | undefined
}

export interface ReaderShare {
  /** Whether there are more readers by now than there may be. */
  isSpare(): boolean
  end(): void
}

export function createReaderShares(readers: number): ReaderShares {
  let taken = 0

  function take(): ReaderShare {
    let ended = false
    taken++
    return {
      isSpare: () => taken > readers,
      end() {
        if (!ended) taken--
        ended = true
      },
    }
  }

  return {
    first: take,
    another: () => (taken < readers ? take() : undefined),
  }
}
