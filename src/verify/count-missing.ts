/**
 * How many ids of one sequence are not in another. Both come in about the same order: held are only those of either that the
 * other has not shown yet.
 */
export async function countMissing(
  ids: AsyncIterable<string>,
  others: AsyncIterable<string>,
): Promise<number> {
  const [unseen, extra] = [new Set<string>(), new Set<string>()]
  const sides = [
    { ids: ids[Symbol.asyncIterator](), own: unseen, opposite: extra },
    { ids: others[Symbol.asyncIterator](), own: extra, opposite: unseen },
  ]
  const running = new Set(sides)
  try {
    while (running.size > 0) {
      for (const side of running) {
        const next = await side.ids.next()
        if (next.done === true) running.delete(side)
        else if (!side.opposite.delete(next.value)) side.own.add(next.value)
      }
    }
  } finally {
    for (const { ids: left } of running) await left.return?.()
  }
  return unseen.size
}
