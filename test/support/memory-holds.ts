import type { ArchiveHold, LedgerWindow } from '../../src/archive/model.ts'
import type { RetentionLedger } from '../../src/archive/ports.ts'

type Holds = Pick<RetentionLedger, 'placeHold' | 'listHolds' | 'releaseHold'>

/** Holds in memory, of any archive. */
export function createMemoryHolds(): Holds & { isHeld: (window: LedgerWindow) => boolean } {
  const placed: ArchiveHold[] = []
  const released = new Set<number>()
  const active = () => placed.filter(({ id }) => !released.has(id))
  return {
    isHeld: (window) =>
      active().some(
        ({ archive, from, to }) =>
          archive === window.archive && from < window.to && (to === undefined || to > window.from),
      ),
    placeHold(facts) {
      const hold = { ...facts, id: placed.length + 1 }
      placed.push(hold)
      return Promise.resolve(hold)
    },
    listHolds: (archive) =>
      Promise.resolve(active().filter((hold) => archive === undefined || hold.archive === archive)),
    releaseHold(id) {
      const hold = active().find((each) => each.id === id)
      released.add(id)
      return Promise.resolve(hold)
    },
  }
}
