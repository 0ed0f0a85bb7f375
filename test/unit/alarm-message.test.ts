import { expect, it } from 'vitest'
import { alarmData, describeAlarms } from '../../src/archive/alarm-message.ts'
import type { AlarmedWindow } from '../../src/archive/model.ts'
import { newWindow } from '../support/new-window.ts'
import { readProjectFile } from '../support/project-file.ts'

it('is what docs/operations.md shows of an alarm', () => {
  const [, sample = ''] =
    /^(\{"type":"archive\.alarm".*?\}\]\}\})$/ms.exec(readProjectFile('docs/operations.md')) ?? []
  // the failed window is overdue, too
  const shown = sample.replace(/"failed":(\[.*?\]),"overdue":\[…\]/s, '"failed":$1,"overdue":$1')
  const range = { from: new Date('2026-03-06T23:00:00Z'), to: new Date('2026-03-07T23:00:00Z') }
  const entry = newWindow({
    ...{ name: '2026-03-07', date: '2026-03-07', ...range, state: 'failed', tries: 2 },
    error: { code: 'SOURCE_QUERY_FAILED', message: 'not told', retryable: false },
    ...{ exportId: '…', retryAt: new Date(0) },
  })
  const windows: readonly AlarmedWindow[] = [{ ...entry, entry }]
  const alarm = {
    archive: {
      ...{ name: 'services', start: undefined, settleMs: 0, enteredAt: new Date(0) },
      calendar: { unit: 'day', timeZone: 'Europe/Berlin' },
    },
    ...{ failed: { count: 1, windows }, overdue: { count: 1, windows } },
  } as const
  const archives = JSON.parse(
    JSON.stringify(alarmData([alarm])).replaceAll('1970-01-01T00:00:00.000Z', '…'),
  ) as unknown
  expect((JSON.parse(shown) as { readonly data: unknown }).data).toEqual({
    since: '2026-03-29T01:20:00.388Z',
    message: describeAlarms([alarm]),
    archives,
  })
})
