import { ok, problem, warning, type Verdict } from './finding.ts'

/** As package.json has it. */
const oldest = [20, 19] as const

/** @param version of Node: `v20.19.0`. Pure. */
export function judgeNode(version: string): Verdict {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    return problem(`Node ${version} is too old`, 'Install Node 24, or at least 20.19.')
  }
  return major === 20
    ? warning(
        `Node ${version}, for which the AWS SDK ends its support in January 2027`,
        'Install Node 22 or 24: later versions of Longhaul will need it.',
      )
    : ok(`Node ${version}`)
}
