import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { logErrors } from '../../src/queue/queue-errors.ts'

it('a queue is logged until it is closed, and an error after that hurts nobody', () => {
  const lines: string[] = []
  const logger = createLogger({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  const queue = new EventEmitter()
  const silence = logErrors(queue, logger)
  queue.emit('error', new TypeError('while open'))
  silence()
  queue.emit('error', new TypeError('after the end'))
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('while open')
})
