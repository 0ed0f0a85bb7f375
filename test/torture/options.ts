import { parseArgs } from 'node:util'

export interface TortureOptions {
  /** How long exports are requested and faults strike, ms. */
  readonly stormMs: number
  /** Decides which exports and faults come, and in which order. */
  readonly seed: number
}

/** `--minutes N` (default 10) or `--seconds N`, `--seed S` (default: any). @throws TypeError */
export function parseOptions(args: readonly string[]): TortureOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
    },
  })
  const { minutes, seconds, seed = String(Math.floor(Math.random() * 1e6)) } = values
  const stormMs = seconds === undefined ? Number(minutes ?? 10) * 60_000 : Number(seconds) * 1000
  if (!(stormMs >= 1000)) throw new TypeError('--minutes, --seconds: expected at least a second.')
  if (!/^\d{1,9}$/.test(seed)) throw new TypeError('--seed: expected a whole number.')
  return { stormMs, seed: Number(seed) }
}
