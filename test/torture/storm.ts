import { setTimeout as sleep } from 'node:timers/promises'
import { isFinished } from '../../src/export/state.ts'
import type { Customers, Order } from './customers.ts'
import type { Dice } from '../support/dice.ts'
import { buildDeck } from './fault-deck.ts'
import { faultKinds, type FaultKind } from './faults.ts'
import type { Observer } from './observer.ts'
import type { System } from './system.ts'

/** Between two faults, and between two new exports, ms. */
const faultEveryMs = 2400
const orderEveryMs = 2000

/** Exports that are not finished, at most: more would only wait for each other. */
const maxUnfinished = 16

/** A fault waits so long for an attempt that it can strike, ms. */
const patienceMs = 2500

export interface FaultEvent {
  readonly at: Date
  readonly name: string
  readonly target: string
  /** Whether an attempt ran that it concerned. */
  readonly struck: boolean
}

export interface Storm {
  readonly system: System
  readonly customers: Customers
  readonly observer: Observer
  readonly dice: Dice
  readonly onFault: (event: FaultEvent) => void
}

/** Exports and faults, for so long or until the signal. Resolves when every fault is over. */
export async function rage(
  storm: Storm,
  { stormMs, signal }: { readonly stormMs: number; readonly signal: AbortSignal },
): Promise<void> {
  // a timer of our own: Node 20 forgets an AbortSignal.timeout that only AbortSignal.any knows of
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(), stormMs)
  const over = AbortSignal.any([signal, ending.signal])
  await Promise.all([orderExports(storm, over), causeFaults(storm, stormMs, over)])
  clearTimeout(timer)
}

async function orderExports({ customers, observer }: Storm, over: AbortSignal): Promise<void> {
  const isOpen = ({ ids: [id = ''] }: Order) => {
    const state = observer.stateOf(id)
    return state === undefined || !isFinished(state)
  }
  while (!over.aborted) {
    if (customers.orders.filter(isOpen).length < maxUnfinished) customers.order()
    await sleep(orderEveryMs, undefined, { signal: over }).catch(() => undefined)
  }
}

async function causeFaults(storm: Storm, stormMs: number, over: AbortSignal): Promise<void> {
  const { system, dice, onFault } = storm
  const deck = buildDeck(faultKinds, Math.floor(stormMs / faultEveryMs), dice)
  const struck = new Set<string>()
  const under: Promise<void>[] = []
  const startedAt = Date.now()
  for (let n = 0; deck.length > 0 && !over.aborted; n++) {
    const dueMs = startedAt + n * faultEveryMs - Date.now()
    await sleep(Math.max(dueMs, 0), undefined, { signal: over }).catch(() => undefined)
    const chosen = await choose(storm, deck, struck, over)
    if (chosen === undefined) continue
    const { kind, target, strikes } = chosen
    deck.splice(deck.indexOf(kind), 1)
    struck.add(target)
    onFault({ at: new Date(), name: kind.name, target, struck: strikes })
    const fault = kind.strike(system, target, dice).finally(() => struck.delete(target))
    // a fault that cannot be caused ends the run, but not before the others are over
    fault.catch(() => undefined)
    under.push(fault)
  }
  await Promise.all(under)
}

/** The next fault of the deck that can strike: a running attempt, if there is one before long. */
async function choose(
  { system, observer, dice }: Storm,
  deck: readonly FaultKind[],
  struck: ReadonlySet<string>,
  over: AbortSignal,
): Promise<{ kind: FaultKind; target: string; strikes: boolean } | undefined> {
  const deadline = Date.now() + patienceMs
  while (!over.aborted) {
    const late = Date.now() > deadline
    const running = await runningBy({ system, observer })
    for (const kind of deck.slice(0, 6)) {
      const free = dice.shuffle(kind.targets(system).filter((target) => !struck.has(target)))
      const reached = free.find((target) => reaches(kind, target, running))
      const target = reached ?? (late || kind.reach === 'none' ? free[0] : undefined)
      if (target !== undefined) return { kind, target, strikes: reached !== undefined }
    }
    await sleep(50)
  }
  return undefined
}

const reaches = (
  kind: FaultKind,
  target: string,
  running: ReadonlyMap<string, number>,
): boolean => {
  if (kind.reach === 'none') return false
  if (kind.reach === 'worker') return (running.get(target) ?? 0) > 0
  return [...running.values()].some((count) => count > 0)
}

/** By worker, how many attempts run: of what it says to be at work on, what the records confirm. */
async function runningBy({ system, observer }: Pick<Storm, 'system' | 'observer'>) {
  const up = system.workers.filter((worker) => worker.isUp())
  const running = await observer.running(up.flatMap((worker) => worker.busyWith()))
  return new Map(
    up.map((worker) => {
      const ids = worker.busyWith().filter((id) => running?.includes(id) !== false)
      return [worker.name, ids.length] as const
    }),
  )
}
