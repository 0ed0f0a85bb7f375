import { randomUUID } from 'node:crypto'
import { AlertError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import { alarmData, describeAlarms } from './alarm-message.ts'
import { isAlarmed } from './alarms.ts'
import type { ArchiveAlarm } from './model.ts'
import type { AlarmMemory, AlarmMessage, RaisedAlarm } from './ports.ts'

/** An alarm is not told again sooner, ms: of the hourly job some runs come twice. */
const silenceMs = 1_800_000

/** One that no run has seen for so long, ms, is not the one that is there now. */
const forgottenMs = 10_800_000

/** Stands for a call that was begun, and of which nobody knows whether it was taken: earlier than any line of the log. */
const perhapsTold = new Date(0)

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
 * once when it is over, to whom it was told before, or may have been. A run that is ended before the call was taken makes up for it
 * the next time; where the receiver refuses for good to hear that it is over, it is over all the same.
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
  const silentMs = raised === undefined ? Infinity : now.getTime() - raised.loggedAt.getTime()
  if (raised !== undefined && silentMs < silenceMs) return raised
  const before = silentMs > forgottenMs ? undefined : raised
  return { since: now, ...before, loggedAt: now, messageId: `msg_${randomUUID()}` }
}

async function tellRaised(
  { memory, clock, log, call }: TellAlarmsDeps,
  alarms: readonly ArchiveAlarm[],
  raised: RaisedAlarm | undefined,
  options: Options,
): Promise<boolean> {
  const current = currentAlarm(raised, clock.now())
  // put down before the call: one whose taking was not put down any more is told that it is over, too
  const alarm = call === undefined ? current : withCall(current)
  const { since, loggedAt, toldAt, messageId } = alarm
  // false: another run is at it, at this very moment
  if (alarm !== raised && !(await memory.put(alarm, raised))) return false
  if (current !== raised) log.raised(alarms, since)
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

const withCall = (alarm: RaisedAlarm): RaisedAlarm =>
  alarm.toldAt === undefined ? { ...alarm, toldAt: perhapsTold } : alarm

async function tellOver(
  { memory, clock, log, call }: TellAlarmsDeps,
  raised: RaisedAlarm,
  options: Options,
): Promise<boolean> {
  const { since, toldAt, messageId } = raised
  const isAwaited = call !== undefined && toldAt !== undefined
  let refusal: AlertError | undefined
  if (isAwaited) {
    const id = `${messageId}_over`
    const timestamp = clock.now().toISOString()
    const data = { since: since.toISOString() }
    await call({ id, type: 'archive.recovered', timestamp, data }, options).catch(
      (error: unknown) => {
        if (!(error instanceof AlertError) || error.retryable) throw error
        refusal = error
      },
    )
  }
  if (await memory.clear(raised)) log.over(since)
  if (refusal !== undefined) throw refusal
  return isAwaited
}
