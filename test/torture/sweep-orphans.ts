import type { Findings } from './findings.ts'
import { runLonghaul } from './run-longhaul.ts'
import type { System } from './system.ts'

/**
 * What lost attempts left is the sweep's to remove: one run of it, at once instead of by its schedule. A
 * version that has no sweep leaves it, and the audit finds it.
 */
export async function sweepOrphans({ directly }: System, findings: Findings): Promise<void> {
  const { output: commands } = await runLonghaul(['--help'], {})
  if (!/^ {2}sweep\b/m.test(commands)) return
  const environment = { ...directly, ORPHAN_AGE_MINUTES: '0' }
  const { code, output } = await runLonghaul(['sweep'], environment)
  if (code !== 0) findings.add('sweep', `longhaul sweep ended with ${code}: ${output}`)
}
