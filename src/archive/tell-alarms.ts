import { randomUUID } from 'node:crypto'
import type { Clock } from '../runtime/clock.ts'
import { alarmData, describeAlarms } from './alarm-message.ts'
import { isAlarmed } from './alarms.ts'
import type { ArchiveAlarm } from './model.ts'
import type { AlarmMemory, AlarmMessage, RaisedAlarm } from './ports.ts'

/** An alarm is not told again sooner, ms: of the hourly job some runs come twice. */
const silenceMs = 1_800_000

export interface TellAlarmsDeps {
  readonly look: () => Promise<readonly ArchiveAlarm[]>
  readonly memory: AlarmMemory
  readonly clock: Clock
  readonly log: AlarmLog
  /** Undefined: nobody is called. */
  readonly call: ((message: AlarmMessage, options: Options) => Promise<void>) | undefined
}

export interface AlarmLog {
  raised(alarms: readonly ArchiveAlarm[], since: Date): void
  over(since: Date): void
}

interface Options {
  readonly signal: AbortSignal
}

/** Counts of windows, of all archives together. */
export interface AlarmReport {
  readonly failed: number
  readonly overdue: number
  /** Whether somebody was called. */
  readonly told: boolean
}

/**
 * Looks whether archives need somebody, and tells: in the log, and by a call. As long as it lasts it is told once with each run, and
 * once when it is over, to whom it was told before. A run that is ended before the call was taken makes up for it the next time.
 * @throws SourceError; what the call throws; the signal's reason
 */
export async function tellAlarms(deps: TellAlarmsDeps, options: Options): Promise<AlarmReport> {
  const { look, memory } = deps
  const alarms = (await look()).filter(isAlarmed)
  const raised = await memory.get()
  options.signal.throwIfAborted()
  const told =
    alarms.length > 0
      ? await tellRaised(deps, alarms, raised, options)
      : raised !== undefined && (await tellOver(deps, raised, options))
  const sum = (kind: 'failed' | 'overdue') =>
    alarms.reduce((total, alarm) => total + alarm[kind].count, 0)
  return { failed: sum('failed'), overdue: sum('overdue'), told }
}

/** What this run is to tell: an alarm of its own, or that of a run a moment ago. */
function currentAlarm(raised: RaisedAlarm | undefined, now: Date): RaisedAlarm {
  if (raised !== undefined && now.getTime() - raised.loggedAt.getTime() < silenceMs) return raised
  return { since: now, ...raised, loggedAt: now, messageId: `msg_${randomUUID()}` }
}

async function tellRaised(
  { memory, clock, log, call }: TellAlarmsDeps,
  alarms: readonly ArchiveAlarm[],
  raised: RaisedAlarm | undefined,
  options: Options,
): Promise<boolean> {
  const alarm = currentAlarm(raised, clock.now())
  const { since, loggedAt, toldAt, messageId } = alarm
  if (alarm !== raised) {
    // another run is at it, at this very moment
    if (!(await memory.put(alarm, raised))) return false
    log.raised(alarms, since)
  }
  if (call === undefined || (toldAt !== undefined && toldAt >= loggedAt)) return false
  const data = {
    since: since.toISOString(),
    message: describeAlarms(alarms),
    archives: alarmData(alarms),
  }
  const timestamp = loggedAt.toISOString()
  await call({ id: messageId, type: 'archive.alarm', timestamp, data }, options)
  await memory.put({ ...alarm, toldAt: clock.now() }, alarm)
  return true
}

async function tellOver(
  { memory, clock, log, call }: TellAlarmsDeps,
  raised: RaisedAlarm,
  options: Options,
): Promise<boolean> {
  const { since, toldAt, messageId } = raised
  const isAwaited = call !== undefined && toldAt !== undefined
  if (isAwaited) {
    const id = `${messageId}_over`
    const timestamp = clock.now().toISOString()
    const data = { since: since.toISOString() }
    await call({ id, type: 'archive.recovered', timestamp, data }, options)
  }
  if (await memory.clear(raised)) log.over(since)
  return isAwaited
}
