import { parse } from 'yaml'
import { readProjectFile } from './project-file.ts'

/** What the tests look at; that the rest is right, the schema says. */
export interface ComposeService {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly profiles?: readonly string[]
  readonly restart?: string
  readonly init?: boolean
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly stop_grace_period?: string
  readonly deploy?: { readonly replicas?: number }
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly volumes: Readonly<Record<string, unknown>>
}

const text = readProjectFile('docker-compose.yml')

/** A variable of the file, by the one form that refuses to go on without it. */
const reference = /\$\{(\w+):\?([^}]+)\}/g

/** A variable of the file that may be left out. */
const option = /\$\{(\w+):-\}/g

/** Names of the variables that it needs. */
export const composeVariables: readonly string[] = [
  ...new Set([...text.matchAll(reference)].map(([, name = '']) => name)),
]

/** As written, but for what YAML itself says: anchors and merges. */
export const parsedComposeFile = (): unknown => parse(text, { merge: true })

/** As `docker compose` sees it with these variables. Throws with the message of the file when one is missing. */
export function readComposeFile(variables: Readonly<Record<string, string>>): ComposeFile {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return fillText(value, variables)
    if (Array.isArray(value)) return value.map(fill)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]))
  }
  return fill(parsedComposeFile()) as ComposeFile
}

function fillText(value: string, variables: Readonly<Record<string, string>>): string {
  const filled = value.replaceAll(reference, (_all, name: string, message: string) => {
    const given = variables[name]
    if (given === undefined || given === '') throw new TypeError(`${name} ${message}`)
    return given
  })
  const whole = filled.replaceAll(option, (_all, name: string) => variables[name] ?? '')
  if (whole.includes('${')) throw new TypeError(`a variable of another form: ${value}`)
  return whole
}
