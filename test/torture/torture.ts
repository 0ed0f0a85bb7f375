import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { chmodSync, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinished } from '../../src/export/state.ts'
import { abortAfter, untilAborted } from '../../src/runtime/abort.ts'
import { createResources, type Resources } from '../../src/runtime/resources.ts'
import { until } from '../support/until.ts'
import { audit, auditConnections } from './audit.ts'
import { createCustomers, type Customers } from './customers.ts'
import { createDice } from '../support/dice.ts'
import { createFindings, type Findings } from './findings.ts'
import { startObserver, type Observer } from './observer.ts'
import type { TortureOptions } from './options.ts'
import { buildReport } from './report.ts'
import { rage, type FaultEvent } from './storm.ts'
import { startSystem, type System } from './system.ts'

/** After the storm all processes must be back by then, and all exports finished by then, ms. */
const startLimitMs = 90_000
const finishLimitMs = 300_000
/** After that, everybody must have an answer, ms: a download gives up sooner by itself. */
const servedLimitMs = 180_000

export interface Tools {
  readonly print: (line: string) => void
  /** Ends the run as it stands: nothing is audited. */
  readonly signal: AbortSignal
}

/**
 * Random exports and random faults against real processes, then an audit.
 * @returns whether no promise was broken
 */
export async function torture(options: TortureOptions, tools: Tools): Promise<boolean> {
  const { print } = tools
  const findings = createFindings(print)
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-torture-'))
  // as root, whose databases run as another user: that one must get through
  chmodSync(folder, 0o711)
  const resources = createResources()
  let whole = false
  try {
    await run({ folder, findings, resources }, options, tools)
    whole = findings.violations.length === 0
  } catch (error) {
    if (!tools.signal.aborted) throw error
    whole = true
  } finally {
    await resources.release()
    if (whole) await rm(folder, { recursive: true, force: true })
    else print(`What the processes said is kept in ${folder}`)
  }
  return whole && !tools.signal.aborted
}

interface Setting {
  readonly folder: string
  readonly findings: Findings
  readonly resources: Resources
}

async function run(setting: Setting, options: TortureOptions, tools: Tools): Promise<void> {
  const { folder, findings, resources } = setting
  const { print, signal } = tools
  const dice = createDice(options.seed)
  print(`torture: ${seconds(options.stormMs)}, seed ${options.seed}; logs in ${folder}`)
  const system = await startSystem(resources, { folder, dice: dice.fork(), findings })
  await untilUp(system, signal)
  const home = new AbortController()
  const observer = startObserver(system.control.url, findings)
  resources.add(observer, (started) => started.stop())
  resources.add(home, (controller) => controller.abort())
  const customers = createCustomers({
    ...{ url: system.url, folder, dice: dice.fork(), findings, signal: home.signal },
  })
  const faults: FaultEvent[] = []
  const timeline = createWriteStream(join(folder, 'faults.log'))
  resources.add(timeline, (file) => void file.end())
  const onFault = (event: FaultEvent) => {
    faults.push(event)
    timeline.write(`${JSON.stringify(event)}\n`)
  }
  const storm = { system, customers, observer, dice: dice.fork(), onFault }
  const startedAt = performance.now()
  const phase = (text: string) => print(`${seconds(performance.now() - startedAt)}: ${text}`)
  phase('storm …')
  await rage(storm, { ...options, signal })
  signal.throwIfAborted()
  phase(`calm, ${faults.length} faults; waiting for ${customers.orders.length} exports to end …`)
  await calmDown(storm, findings, signal)
  home.abort()
  await observer.stop()
  await Promise.all([system.server, ...system.workers].map((service) => service.finish()))
  signal.throwIfAborted()

  phase('audit …')
  const audited = await audit(system, customers.orders, findings)
  const services = [system.server, ...system.workers]
  const failedStarts = services.reduce((n, service) => n + service.failedStarts(), 0)
  const lateStops = services.reduce((n, service) => n + service.lateStops(), 0)
  const { violations } = findings
  const report = buildReport({
    orders: customers.orders,
    faults,
    audited,
    failedStarts,
    lateStops,
    violations,
  })
  phase('done')
  for (const line of report) print(line)
  if (violations.length > 0) {
    const kept = {
      seed: options.seed,
      report,
      violations,
      faults,
      orders: customers.orders,
      records: audited.records,
    }
    await writeFile(join(folder, 'run.json'), JSON.stringify(kept, withSets, 2))
  }
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`

const withSets = (_: string, value: unknown): unknown => (value instanceof Set ? [...value] : value)

const untilUp = ({ server, workers }: System, signal: AbortSignal): Promise<unknown> =>
  until(
    () => {
      signal.throwIfAborted()
      return [server, ...workers].every((service) => service.isUp())
    },
    { timeoutMs: startLimitMs, what: 'all processes to be ready' },
  )

/** Heals everything, and waits until every export has finished. What has not is for the audit to find. */
async function calmDown(
  { system, customers, observer }: { system: System; customers: Customers; observer: Observer },
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  for (const proxy of Object.values(system.proxies)) proxy.heal()
  await untilUp(system, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    findings.add('not-up', String(error))
  })
  const finished = () =>
    customers.orders.every(({ ids: [id = ''] }) => {
      const state = observer.stateOf(id)
      return state !== undefined && isFinished(state)
    })
  const deadline = Date.now() + finishLimitMs
  while (!finished() && Date.now() < deadline) {
    signal.throwIfAborted()
    await sleep(200)
  }
  if (finished()) {
    await untilAborted(customers.served(), abortAfter(servedLimitMs, signal)).catch(() => {
      signal.throwIfAborted()
      findings.add('customer', `some still wait ${servedLimitMs / 1000} s after all exports ended`)
    })
  }
  // workers that have nothing to do read nothing
  const idle = { pattern: 'longhaul', when: 'while no export runs' }
  await auditConnections(system.source, findings, idle)
}
