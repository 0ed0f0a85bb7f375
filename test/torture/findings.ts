/** A promise that was seen broken. */
export interface Violation {
  readonly kind: string
  /** The export it is about, if it is about one. */
  readonly id: string | undefined
  readonly text: string
}

export interface Findings {
  /** Written down once, however often it is found. */
  add(kind: string, text: string, id?: string): void
  readonly violations: readonly Violation[]
}

export function createFindings(print: (line: string) => void): Findings {
  const violations: Violation[] = []
  return {
    violations,
    add(kind, text, id) {
      if (violations.some((known) => known.kind === kind && known.id === id && known.text === text))
        return
      const violation = { kind, id, text }
      violations.push(violation)
      print(describeViolation(violation))
    },
  }
}

/** One line. */
export const describeViolation = ({ kind, id, text }: Violation): string =>
  `VIOLATION ${kind}: ${id === undefined ? '' : `export ${id}: `}${text.replaceAll(/\s+/g, ' ')}`
