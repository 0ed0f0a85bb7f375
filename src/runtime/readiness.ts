import { abortAfter, untilAborted } from './abort.ts'

/** Asks something that is needed whether it answers; rejects when it does not. */
export type Probe = (options: { readonly signal: AbortSignal }) => Promise<unknown>

export type PartState = 'ok' | 'failed' | 'timed out'

/** Something to look after that keeps nobody from working. `unknown`: it could not be looked at. */
export interface Notice {
  readonly status: 'ok' | 'alarm' | 'unknown'
  /** For whoever asks, which may be anybody. */
  readonly message?: string
}

/** Tells of what it is about. */
export type Watch = () => Promise<Notice>

export interface ReadinessOptions {
  /** Each part has so long to answer, ms. */
  readonly timeoutMs: number
  /** Whoever asks within this time after an answer gets the same one, ms. */
  readonly restMs: number
  /** Told when a part fails that did not before, or answers again. */
  readonly onChange: (part: string, state: PartState, error: unknown) => void
}

export interface Readiness {
  /** From now on, these parts are needed; before, nothing is ready. */
  needs(probes: Readonly<Record<string, Probe>>): void
  /** How each part is, by its name; undefined: still starting. Never throws. */
  look(): Promise<Readonly<Record<string, PartState>> | undefined>
  /** From now on, this is told besides. */
  watches(watches: Readonly<Record<string, Watch>>): void
  /** What there is to tell besides, by its name; undefined: nothing is watched. Never throws. */
  notices(): Promise<Readonly<Record<string, Notice>> | undefined>
}

/** Looks whether all that a process needs answers, all parts at once, and no more often than makes sense. */
export function createReadiness({ timeoutMs, restMs, onChange }: ReadinessOptions): Readiness {
  let probes: Readonly<Record<string, Probe>> | undefined
  const known = new Map<string, PartState>()
  let current: ReturnType<typeof lookAtAll> | undefined

  async function lookAt(part: string, probe: Probe): Promise<readonly [string, PartState]> {
    const limit = abortAfter(timeoutMs)
    let state: PartState = 'ok'
    let reason: unknown
    try {
      await untilAborted(probe({ signal: limit }), limit)
    } catch (error) {
      state = limit.aborted ? 'timed out' : 'failed'
      reason = error
    }
    if (state !== (known.get(part) ?? 'ok')) onChange(part, state, reason)
    known.set(part, state)
    return [part, state]
  }

  const lookAtAll = async (needed: Readonly<Record<string, Probe>>) =>
    Object.fromEntries(
      await Promise.all(Object.entries(needed).map(([part, probe]) => lookAt(part, probe))),
    )

  let watched: Readonly<Record<string, Watch>> | undefined
  const lookAfter = async (watch: Watch): Promise<Notice> => {
    try {
      return await untilAborted(watch(), abortAfter(timeoutMs))
    } catch {
      return { status: 'unknown' }
    }
  }

  return {
    watches(watches) {
      watched = watches
    },
    async notices() {
      if (watched === undefined) return undefined
      const all = Object.entries(watched)
      return Object.fromEntries(
        await Promise.all(
          all.map(async ([name, watch]) => [name, await lookAfter(watch)] as const),
        ),
      )
    },
    needs(needed) {
      probes = needed
    },
    async look() {
      if (probes === undefined) return undefined
      if (current === undefined) {
        const looking = lookAtAll(probes)
        current = looking
        const forget = () => (current = undefined)
        void looking.then(() => setTimeout(forget, restMs).unref())
      }
      return current
    },
  }
}
