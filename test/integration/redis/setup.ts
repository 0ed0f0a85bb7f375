import { expect, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { openQueue } from '../../../src/queue/open-queue.ts'
import { createProducer, type Producer } from '../../../src/queue/producer.ts'
import type { RedisSettings } from '../../../src/queue/redis-client.ts'
import { startWorker } from '../../../src/queue/worker.ts'
import { startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'
import { memoryLogger, newId } from '../queue/setup.ts'

/** A Redis of its own. @returns its port */
export async function redisWith(...options: string[]): Promise<number> {
  const port = await lastingPort()
  const server = await startRedis(port, options)
  onTestFinished(() => server.stop())
  return port
}

export const open = (
  redis: Partial<RedisSettings> & { readonly url: string },
  waitUntil?: AbortSignal,
) => {
  const { logger, logLines } = memoryLogger()
  const settings = { prefix: 'test', cluster: false, ...redis }
  const opened = openQueue({ databaseUrl: '', redis: settings }, { logger, waitUntil })
  opened.catch(() => undefined)
  return { opened, logger, logLines }
}

/** A producer and a worker of the queue, and what the worker ran. */
export async function useQueue({ opened, logger }: ReturnType<typeof open>): Promise<{
  readonly producer: Producer
  readonly ran: readonly string[]
}> {
  const connection = await opened
  const ran: string[] = []
  const definition = {
    name: 'works',
    backoffMs: () => 1,
    run: (_deps: undefined, { exportId }: { exportId: string }) => {
      ran.push(exportId)
      return Promise.resolve({ outcome: 'done' as const })
    },
  }
  const producer = await createProducer(connection, definition.name, logger)
  onTestFinished(() => producer.close())
  const worker = await startWorker(connection, definition, undefined, {
    ...{ concurrency: 1, lockMs: 30_000, logger },
  })
  onTestFinished(() => worker.stop({ graceMs: 0 }))
  return { producer, ran }
}

/** One job through the queue. */
export async function expectWorks(opening: ReturnType<typeof open>): Promise<void> {
  const { producer, ran } = await useQueue(opening)
  const id = newId()
  await producer.enqueue({ id, dispatch: 1 })
  await until(() => ran.length === 1)
  expect(ran).toEqual([id])
  expect(opening.logLines.filter((line) => line.includes('"level":"error"'))).toEqual([])
}
