export interface Slots {
  /** Takes one of them, if one is left. @returns gives it back; safe to call again */
  take(): (() => void) | undefined
}

/** How many may do something at once; who finds none left is turned away rather than made to wait. */
export function createSlots(limit: number): Slots {
  let taken = 0
  return {
    take() {
      if (taken >= limit) return undefined
      taken++
      let held = true
      return () => {
        if (held) taken--
        held = false
      }
    },
  }
}
