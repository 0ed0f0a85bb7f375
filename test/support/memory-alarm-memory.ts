import type { AlarmMemory, RaisedAlarm } from '../../src/archive/ports.ts'

/** An AlarmMemory in memory; `alarm-memory.test.ts` holds it to what the real one does. */
export function createMemoryAlarmMemory(): AlarmMemory {
  let raised: RaisedAlarm | undefined
  return {
    get: () => Promise.resolve(raised),
    put: (alarm) => Promise.resolve(void (raised = alarm)),
    clear: () => Promise.resolve(void (raised = undefined)),
  }
}
