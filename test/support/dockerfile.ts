import { readProjectFile } from './project-file.ts'

export interface Step {
  /** Such as COPY, in capitals. */
  readonly instruction: string
  /** All that follows, lines that go on joined. */
  readonly text: string
}

export interface Stage {
  /** Of the image or stage that it begins with. */
  readonly from: string
  readonly name: string | undefined
  readonly steps: readonly Step[]
}

/** The stages of the project's Dockerfile, in order: the last one is the image. */
export function readDockerfile(): readonly Stage[] {
  const lines = readProjectFile('Dockerfile')
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  const stages: { from: string; name: string | undefined; steps: Step[] }[] = []
  for (const line of lines) {
    const [, instruction = '', text = ''] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? []
    const [, from, name] = /^FROM (\S+)(?: AS (\S+))?$/.exec(line) ?? []
    if (from !== undefined) stages.push({ from, name, steps: [] })
    else if (instruction === '' || stages.length === 0) throw new TypeError(`Dockerfile: ${line}`)
    else stages.at(-1)!.steps.push({ instruction, text })
  }
  return stages
}

/** What follows the last instruction of this name in the image's stage. */
export function lastOf(stages: readonly Stage[], instruction: string): string {
  const found = stages.at(-1)!.steps.findLast((step) => step.instruction === instruction)
  if (found === undefined) throw new TypeError(`Dockerfile: no ${instruction} in the last stage`)
  return found.text
}

/** The words of the exec form, `["node", "main.js"]`. Throws for the shell form. */
export function execForm(text: string): readonly string[] {
  const words: unknown = JSON.parse(text)
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words
  throw new TypeError(`Dockerfile: expected the exec form, got ${text}`)
}

/** `NAME=value` pairs, as ENV and LABEL have them. */
export const pairs = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)].map(([, name = '', quoted, bare = '']) => [
      name,
      quoted ?? bare,
    ]),
  )
