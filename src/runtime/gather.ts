/** Finds what there is of many. */
export type FindMany<Found> = (ids: readonly string[]) => Promise<ReadonlyMap<string, Found>>

interface Asker<Found> {
  readonly resolve: (found: Found | undefined) => void
  readonly reject: (error: unknown) => void
}

export interface GatherOptions {
  /** So long after a question, at least, the next one is asked, ms. */
  readonly pauseMs: number
  /** So many questions, at most, wait for their answer. */
  readonly atOnce: number
}

/**
 * Asks one question for all who ask within `pauseMs` of the question before, or while `atOnce` wait for their answer:
 * the busier it is, the more are answered at once, and who asks alone is answered at once. Every answer is as of after
 * it was asked for.
 * @returns finds one; undefined where there is none; rejects with what `findMany` does
 */
export function gather<Found>(
  findMany: FindMany<Found>,
  { pauseMs, atOnce }: GatherOptions,
): (id: string) => Promise<Found | undefined> {
  let gathered = new Map<string, Asker<Found>[]>()
  let askedAt = -Infinity
  let unanswered = 0

  async function ask(): Promise<void> {
    const asking = gathered
    gathered = new Map()
    askedAt = performance.now()
    unanswered++
    try {
      const found = await findMany([...asking.keys()])
      for (const [id, askers] of asking) for (const { resolve } of askers) resolve(found.get(id))
    } catch (error) {
      for (const { reject } of [...asking.values()].flat()) reject(error)
    } finally {
      unanswered--
      // while it was one too many, nobody could ask for those who came
      if (unanswered === atOnce - 1 && gathered.size > 0) askSoon()
    }
  }

  function askSoon(): void {
    const leftMs = askedAt + pauseMs - performance.now()
    if (leftMs > 0) setTimeout(() => void ask(), leftMs)
    // after all that came in with the one that asks
    else setImmediate(() => void ask())
  }

  return (id) =>
    new Promise((resolve, reject) => {
      if (gathered.size === 0 && unanswered < atOnce) askSoon()
      const askers = gathered.get(id)
      if (askers === undefined) gathered.set(id, [{ resolve, reject }])
      else askers.push({ resolve, reject })
    })
}
