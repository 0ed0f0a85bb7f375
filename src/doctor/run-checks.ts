import { ExportError } from '../errors.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { problem, skipped, type Finding, type Verdict } from './finding.ts'
import type { Asking } from './ports.ts'

export interface Check {
  readonly part: string
  readonly name: string
  /** Earlier checks, as `part.name` or, of the same part, `name`: with a problem there, this one is skipped. */
  readonly needs?: readonly string[]
  /** Several verdicts, where it looks at several things. What it throws is a problem. */
  look(options: Asking): Promise<Verdict | readonly Verdict[]> | Verdict | readonly Verdict[]
}

export interface RunChecksOptions {
  /** Each check has so long, ms. */
  readonly timeoutMs: number
  /** What has not been looked at when it is aborted is skipped. */
  readonly signal: AbortSignal
}

/**
 * Runs all checks: the parts at once, within a part one check after another, so that no server is asked much at
 * a time. Never throws.
 * @returns the findings in the order of the checks
 */
export async function runChecks(
  checks: readonly Check[],
  options: RunChecksOptions,
): Promise<readonly Finding[]> {
  const running = new Map<string, Promise<readonly Verdict[]>>()
  const lastOfPart = new Map<string, Promise<unknown>>()

  async function firstFailed({ part, needs = [] }: Check): Promise<string | undefined> {
    for (const need of needs) {
      const verdicts = await running.get(need.includes('.') ? need : nameOf(part, need))
      if (verdicts === undefined) throw new TypeError(`There is no check ${need} before this one.`)
      if (verdicts.some(({ state }) => state === 'problem' || state === 'skipped')) return need
    }
    return undefined
  }

  async function run(check: Check, before: Promise<unknown> | undefined) {
    await before
    const failed = await firstFailed(check)
    return failed === undefined ? look(check, options) : [skipped(`it needs: ${failed}`)]
  }

  for (const check of checks) {
    const work = run(check, lastOfPart.get(check.part))
    lastOfPart.set(check.part, work)
    running.set(nameOf(check.part, check.name), work)
  }
  const found = await Promise.all(
    checks.map(async ({ part, name }) =>
      ((await running.get(nameOf(part, name))) ?? []).map((verdict) => ({
        part,
        check: name,
        ...verdict,
      })),
    ),
  )
  return found.flat()
}

const nameOf = (part: string, name: string) => `${part}.${name}`

async function look(
  check: Check,
  { timeoutMs, signal }: RunChecksOptions,
): Promise<readonly Verdict[]> {
  const isInterrupted = () => signal.aborted
  if (isInterrupted()) return [interrupted]
  const limit = abortAfter(timeoutMs)
  const either = AbortSignal.any([signal, limit])
  try {
    const verdicts = await untilAborted(ask(check, { signal: either }), either)
    return 'state' in verdicts ? [verdicts] : verdicts
  } catch (error) {
    if (isInterrupted()) return [interrupted]
    if (limit.aborted) return [problem(`no answer within ${timeoutMs / 1000} s`, onSilence)]
    return [verdictOf(error)]
  }
}

/** What it throws at once is a rejection, too. */
const ask = async (check: Check, asking: Asking) => check.look(asking)

const interrupted = skipped('interrupted')
const onSilence =
  'Check that the address leads there, that no firewall swallows what is sent, and that it is not overloaded.'

/** An error of ours says what to do; any other is a bug. */
function verdictOf(error: unknown): Verdict {
  if (error instanceof ExportError) {
    return problem(error.message.replace(/\.$/, ''), error.hint)
  }
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return problem(`an unexpected error, ${said}`, 'Please report it.')
}
