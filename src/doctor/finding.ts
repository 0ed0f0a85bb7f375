/**
 * What a check found. `warning`: it works, but not as well or not for as long as it should; `problem`: something
 * of Longhaul will not work; `skipped`: could not be looked at.
 */
export type FindingState = 'ok' | 'warning' | 'problem' | 'skipped'

/** Never holds a secret. */
export interface Verdict {
  readonly state: FindingState
  /** One sentence without its full stop. */
  readonly found: string
  /** What to do about it; of warnings and problems. */
  readonly advice?: string | undefined
}

export interface Finding extends Verdict {
  /** Of the installation: `source database`. */
  readonly part: string
  readonly check: string
}

export const ok = (found: string): Verdict => ({ state: 'ok', found })
export const skipped = (found: string): Verdict => ({ state: 'skipped', found })
export const warning = (found: string, advice: string): Verdict => ({
  state: 'warning',
  found,
  advice,
})
export const problem = (found: string, advice: string | undefined): Verdict => ({
  state: 'problem',
  found,
  advice,
})

/** How many findings there are of each state. */
export type Counts = Readonly<Record<FindingState, number>>

export function countStates(findings: readonly Verdict[]): Counts {
  const count = (wanted: FindingState) => findings.filter(({ state }) => state === wanted).length
  return {
    ok: count('ok'),
    warning: count('warning'),
    problem: count('problem'),
    skipped: count('skipped'),
  }
}
