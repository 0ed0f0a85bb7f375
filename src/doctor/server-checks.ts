import { ok, problem, warning, type Verdict } from './finding.ts'
import type { PortFacts, PortProbe } from './ports.ts'
import type { Check } from './run-checks.ts'

export interface ServerUse {
  readonly host: string
  readonly port: number
  readonly workerPort: number
  /** Each by its role. */
  readonly keys: readonly { readonly role: string }[]
}

const part = 'server'

/** Who may ask, and where. */
export function serverChecks(probe: PortProbe, use: ServerUse): readonly Check[] {
  const { host } = use
  const portCheck = (variable: 'PORT' | 'WORKER_PORT', port: number): Check => ({
    ...{ part, name: variable },
    look: async (asking) =>
      port === 0
        ? ok(`${host}, any free port`)
        : judgePort(await probe(host, port, asking), { host, port, variable }),
  })
  return [
    { ...{ part, name: 'keys' }, look: () => ok(describeKeys(use)) },
    portCheck('PORT', use.port),
    portCheck('WORKER_PORT', use.workerPort),
  ]
}

/** Pure. */
export function describeKeys({ keys, host }: Pick<ServerUse, 'keys' | 'host'>): string {
  if (keys.length === 0) return `none: only this machine may ask, at ${host}`
  const roles = [...new Set(keys.map(({ role }) => role))]
  const counts = roles.map((role) => `${keys.filter((key) => key.role === role).length} ${role}`)
  return `API keys by role: ${counts.join(', ')}`
}

/** Pure. */
export function judgePort(
  facts: PortFacts,
  { host, port, variable }: { host: string; port: number; variable: string },
): Verdict {
  const where = `${host}:${port}`
  switch (facts.state) {
    case 'free':
      return ok(`${where} is free`)
    case 'longhaul':
      return ok(`a Longhaul answers at ${where}`)
    case 'stranger':
      return warning(
        `something else listens at ${where}`,
        `Set ${variable} to another port before a Longhaul is started on this machine.`,
      )
    case 'impossible':
      return problem(
        `nothing can listen at ${where}: ${facts.reason}`,
        `Set HOST to an address of this machine, and ${variable} to a port that this user may have.`,
      )
  }
}
