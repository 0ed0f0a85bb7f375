import { countStates, type Finding } from './finding.ts'

const nameWidth = 16

/** The findings for a person, by parts. Pure. */
export function reportLines(findings: readonly Finding[]): readonly string[] {
  const parts = [...new Set(findings.map(({ part }) => part))]
  const lines = parts.flatMap((part) => [
    part,
    ...findings.filter((finding) => finding.part === part).flatMap(findingLines),
  ])
  return [...lines, '', summary(findings)]
}

function findingLines({ state, check, found, advice }: Finding): readonly string[] {
  const lead = `  ${state.padEnd(7)}  ${check.padEnd(nameWidth)}  `
  return [
    `${lead}${found}`,
    ...(advice === undefined ? [] : [`${' '.repeat(lead.length)}${advice}`]),
  ]
}

function summary(findings: readonly Finding[]): string {
  const { ok, warning, problem, skipped } = countStates(findings)
  return [
    `${ok} ok`,
    plural(warning, 'warning'),
    plural(problem, 'problem'),
    `${skipped} skipped`,
  ].join(', ')
}

const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`
