import { describe, expect, it } from 'vitest'
import { reportLines } from '../../../src/doctor/report.ts'
import { describeKeys, judgePort } from '../../../src/doctor/server-checks.ts'

it('the report is by parts, with what to do below what was found', () => {
  const lines = reportLines([
    { part: 'bucket', check: 'put', state: 'ok', found: 'an object can be stored' },
    { part: 'bucket', check: 'delete', state: 'problem', found: 'denied', advice: 'Allow it.' },
    { part: 'queue', check: 'connection', state: 'warning', found: 'slow', advice: 'Wait.' },
  ])
  expect(lines).toEqual([
    'bucket',
    '  ok       put               an object can be stored',
    '  problem  delete            denied',
    '                             Allow it.',
    'queue',
    '  warning  connection        slow',
    '                             Wait.',
    '',
    '1 ok, 1 warning, 1 problem, 0 skipped',
  ])
})

describe('who may ask, and where', () => {
  it('is told without the keys', () => {
    const host = '127.0.0.1'
    expect(describeKeys({ keys: [], host })).toBe('none: only this machine may ask, at 127.0.0.1')
    const keys = [{ role: 'admin' }, { role: 'read' }, { role: 'admin' }]
    expect(describeKeys({ keys, host })).toBe('API keys by role: 2 admin, 1 read')
  })

  it('is a port that is free, or a Longhaul has', () => {
    const at = { host: '127.0.0.1', port: 8080, variable: 'PORT' }
    expect(judgePort({ state: 'free' }, at).state).toBe('ok')
    expect(judgePort({ state: 'longhaul' }, at).state).toBe('ok')
    expect(judgePort({ state: 'stranger' }, at)).toMatchObject({
      ...{ state: 'warning', advice: expect.stringContaining('Set PORT') as string },
    })
    expect(judgePort({ state: 'impossible', reason: 'EACCES' }, at).state).toBe('problem')
  })
})
