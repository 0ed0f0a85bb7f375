import { expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'

/** What is logged of an error. */
function loggedOf(error: Error): unknown {
  const lines: string[] = []
  const logger = createLogger({ level: 'info' }, { write: (line) => void lines.push(line) })
  logger.error({ err: error }, 'failed')
  expect(lines).toHaveLength(1)
  return (JSON.parse(lines[0]!) as { err: unknown }).err
}

it('an error is logged with what it says, without the client of the database that it came by', () => {
  const client = { connectionParameters: { user: 'longhaul' }, stream: { destroyed: true } }
  const error = Object.assign(new Error('terminating connection'), { code: '57P01', client })
  expect(loggedOf(error)).toEqual({
    type: 'Error',
    message: 'terminating connection',
    stack: error.stack,
    code: '57P01',
  })
})
