import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../support/fault.ts'
import type { Dice } from '../support/dice.ts'
import type { KillableServer } from '../support/killable-server.ts'
import type { ServicePart } from './service-part.ts'
import type { ProxyName, System } from './system.ts'

/** A part of the system, by its name: one fault at a time strikes it. */
export type Target = ProxyName | 'server' | `worker-${number}`

/** A kind of fault, and how often it comes. */
export interface FaultKind {
  readonly name: string
  /** Its part of all faults, in parts of their sum. */
  readonly share: number
  /** What it can strike now. */
  readonly targets: (system: System) => readonly string[]
  /** Strikes. Resolves when the fault is over. */
  readonly strike: (system: System, target: string, dice: Dice) => Promise<void>
  /** Whose attempts it strikes: those of the one worker, those of all, or none. */
  readonly reach: 'worker' | 'all' | 'none'
}

const proxyNames = ['control', 'source', 'store'] as const

const serverOf = (system: System, name: string): KillableServer => system[name as ProxyName]
const proxyOf = (system: System, name: string) => system.proxies[name as ProxyName]
const workerOf = ({ workers }: System, name: string): ServicePart =>
  workers.find((worker) => worker.name === name)!

const workersUp = ({ workers }: System) =>
  workers.filter((worker) => worker.isUp()).map(({ name }) => name)

const onWorker = (
  name: string,
  share: number,
  strike: (worker: ServicePart, dice: Dice) => Promise<void> | void,
): FaultKind => ({
  ...{ name, share, targets: workersUp, reach: 'worker' },
  strike: async (system, target, dice) => strike(workerOf(system, target), dice),
})

/** SIGKILL; it is away for a moment, and comes back with its data. */
const killed = (target: ProxyName, share: number): FaultKind => ({
  ...{ name: `${target} SIGKILL`, share, reach: 'all' },
  targets: (system) => (serverOf(system, target).isUp() ? [target] : []),
  async strike(system, name, dice) {
    const part = serverOf(system, name)
    await part.kill()
    await sleep(dice.between(200, 2500))
    await part.start()
  },
})

/** Struck for some seconds, then healed. */
const onProxy = (
  name: string,
  share: number,
  fault: (dice: Dice) => Fault,
  {
    targets = proxyNames,
    ms = [500, 5000],
  }: { targets?: readonly ProxyName[]; ms?: readonly [number, number] } = {},
): FaultKind => ({
  ...{ name, share, targets: () => targets, reach: 'all' },
  async strike(system, target, dice) {
    const proxy = proxyOf(system, target)
    proxy.strike(fault(dice))
    await sleep(dice.between(...ms))
    proxy.heal()
  },
})

const side = (dice: Dice) => dice.pick(['server', 'client', 'both'] as const)
const atOnce = { ms: [0, 0] } as const
/** Longer than STALL_SECONDS, as often as not. */
const longer = { ms: [1000, 7000] } as const
const answered = (name: string, answer: 'InternalError' | 'ServiceUnavailable' | 'SlowDown') =>
  onProxy(
    name,
    2,
    (dice) =>
      dice.percent(50)
        ? { then: 'answer', answer }
        : { then: 'answer', answer, requests: dice.between(1, 12) },
    { targets: ['store'] },
  )

export const faultKinds: readonly FaultKind[] = [
  onWorker('worker SIGKILL', 19, (worker) => worker.kill()),
  onWorker('worker SIGTERM', 5, (worker) => worker.terminate()),
  // for longer than its lease: another takes over, and it must notice
  onWorker('worker SIGSTOP', 5, (worker, dice) => worker.freeze(dice.between(6500, 9000))),
  killed('control', 5),
  killed('source', 6),
  killed('store', 10),
  {
    ...{ name: 'server SIGKILL', share: 5, reach: 'none' },
    targets: ({ server }) => (server.isUp() ? ['server'] : []),
    strike({ server }) {
      server.kill()
      return Promise.resolve()
    },
  },
  {
    ...{ name: 'backends terminated', share: 5, reach: 'all' },
    targets: (system) => (['control', 'source'] as const).filter((name) => system[name].isUp()),
    async strike(system, target) {
      await system[target as 'control' | 'source'].query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'longhaul%'`,
      )
    },
  },
  {
    ...{ name: 'queue emptied', share: 2, reach: 'all' },
    targets: ({ control }) => (control.isUp() ? ['control'] : []),
    async strike({ control }) {
      await control.query('delete from longhaul_queue.job')
    },
  },
  onProxy('connections reset', 6, () => ({ then: 'reset' }), atOnce),
  onProxy('connections dropped', 5, () => ({ then: 'drop' }), atOnce),
  onProxy('connections truncated', 5, (dice) => ({
    then: dice.pick(['drop', 'reset']),
    from: side(dice),
    afterBytes: Math.floor(10 ** (2 + 5 * dice.throw())),
  })),
  onProxy('connections silent', 5, (dice) => ({ then: 'stall', from: side(dice) }), longer),
  onProxy('connections silent for good', 4, () => ({ then: 'stall', forGood: true }), longer),
  onProxy('delay', 4, (dice) => ({ then: 'delay', ms: dice.between(10, 300), from: side(dice) })),
  onProxy('throttle', 4, (dice) => ({
    then: 'throttle',
    from: side(dice),
    bytesPerSecond: Math.floor(10 ** (3.5 + 3 * dice.throw())),
  })),
  {
    ...{ name: 'port shut', share: 4, reach: 'all', targets: () => proxyNames },
    async strike(system, target, dice) {
      const proxy = proxyOf(system, target)
      await proxy.shut()
      await sleep(dice.between(300, 3000))
      await proxy.open()
    },
  },
  answered('store answers 500', 'InternalError'),
  answered('store answers 503', 'ServiceUnavailable'),
  answered('store answers SlowDown', 'SlowDown'),
]
