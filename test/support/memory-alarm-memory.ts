import type { AlarmMemory, RaisedAlarm } from '../../src/archive/ports.ts'

/** An AlarmMemory in memory; `alarm-memory.test.ts` holds it to what the real one does. */
export function createMemoryAlarmMemory(): AlarmMemory {
  let raised: RaisedAlarm | undefined
  const replace = (instead: RaisedAlarm | undefined, next: RaisedAlarm | undefined) => {
    const isThere = raised?.messageId === instead?.messageId
    if (isThere) raised = next
    return Promise.resolve(isThere)
  }
  return {
    get: () => Promise.resolve(raised),
    put: (alarm, instead) => replace(instead, alarm),
    clear: (alarm) => replace(alarm, undefined),
  }
}
