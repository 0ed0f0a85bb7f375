import { describe, expect, it, onTestFinished } from 'vitest'
import { archiveAlarmsJob } from '../../jobs/archive-alarms.ts'
import { startExportWorker } from '../../src/compose-worker.ts'
import { parseConfig, type Config } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import { loadAlarmExample } from '../support/alarm-example.ts'
import { ask } from '../support/ask.ts'
import { metricValues } from '../support/metric-values.ts'
import { serviceEnvironment } from '../support/run-cli.ts'
import { expectNothingLeaked } from '../support/secrets.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { testQueue } from '../support/test-queue.ts'
import { until } from '../support/until.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

const dayMs = 86_400_000
const minuteMs = 60_000
/** So that half a day is left until the next day is due, and overdue. */
const settleMinutes = Math.floor((Date.now() % dayMs) / minuteMs + 720) % 1440
const latestEnd = Math.floor((Date.now() - settleMinutes * minuteMs) / dayMs) * dayMs
const dateOf = (daysAgo: number) => new Date(latestEnd - daysAgo * dayMs).toISOString().slice(0, 10)

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`

/** Archives three days by two workers, which call a receiver. */
async function setup() {
  const receiver = await startWebhookReceiver(onTestFinished)
  const system = await startTestSystem(onTestFinished, { worker: false })
  const logLines: string[] = []
  const write = (line: string) => void logLines.push(line)
  const logger = createLogger({ level: 'info' }, { write })
  const config: Config = parseConfig({
    ...serviceEnvironment(system),
    ...{ WORKER_PORT: '0', SHUTDOWN_GRACE_SECONDS: '0' },
    ...{ ARCHIVE_SCHEDULE: '* * * * * *', ARCHIVE_START: dateOf(3) },
    ARCHIVE_SETTLE_MINUTES: String(settleMinutes),
    ...{ ALERT_WEBHOOK_URL: receiver.url, ALERT_WEBHOOK_SECRET: secret },
    ALERT_WEBHOOK_ALLOW_PRIVATE: 'true',
  })
  const start = async () => {
    const worker = await startExportWorker(config, logger)
    onTestFinished(() => worker.stop())
    return worker.url
  }
  return { receiver, system, logLines, start }
}

/** What the schedule does once an hour, now, so often; returns when it is done. */
async function runJob(system: TestSystem, logLines: readonly string[], times: number) {
  const connection = await testQueue(system.database).connect()
  const queue = new connection.classes.Queue(archiveAlarmsJob.name, connection.producer)
  try {
    const ids = await Promise.all(
      Array.from({ length: times }, async () => (await queue.add('now', {})).id ?? ''),
    )
    const isDone = (id: string) =>
      logLines.some((line) => line.includes(`"job":"${id}"`) && line.includes('"told":'))
    await until(() => ids.every(isDone))
    expect(await queue.getJobSchedulers()).toHaveLength(1)
  } finally {
    await queue.close()
  }
}

const metricsOf = async (url: string) => {
  const values = Object.entries(metricValues((await ask(url, 'GET', '/metrics')).text))
  return Object.fromEntries(
    values
      .filter(([name]) => name.startsWith('longhaul_archive_windows'))
      .map(([name, value]) => [name.replace(/^longhaul_archive_windows_(\w+)\{.*/, '$1'), value]),
  )
}

describe('the alarms of the nightly archive', { timeout: 120_000 }, () => {
  it('show in metrics, readiness and one line of the log, and call whoever wants to know, until they are over', async () => {
    const { receiver, system, logLines, start } = await setup()
    const { pool } = system.database
    await pool.query('alter table context_services.services rename to mislaid')
    const urls = [await start(), await start()]

    for (const url of urls) {
      await until(async () => {
        const { failed, overdue } = await metricsOf(url)
        return failed === 3 && overdue === 2
      })
      const { status, json } = await ask(url, 'GET', '/readyz')
      expect(status).toBe(200)
      expect(json).toMatchObject({
        status: 'ready',
        details: {
          archives: {
            status: 'alarm',
            message: `services: 3 failed (${dateOf(3)}, ${dateOf(2)}, ${dateOf(1)}), 2 overdue (${dateOf(3)}, ${dateOf(2)})`,
          },
        },
      })
    }

    for (const times of [1, 3]) await runJob(system, logLines, times)
    const alarms = logLines.filter((line) => line.includes('"msg":"archive alarm: '))
    expect(alarms).toHaveLength(1)
    expect(alarms[0]).toContain('"level":"error"')
    expect(receiver.calls).toHaveLength(1)
    const { headers, body } = receiver.calls[0]!
    const { isSigned } = await loadAlarmExample()
    expect(isSigned(secret, headers, body)).toBe(true)
    expect(JSON.parse(body)).toMatchObject({
      type: 'archive.alarm',
      data: {
        archives: [
          {
            name: 'services',
            counts: { failed: 3, overdue: 2 },
            failed: [{ window: dateOf(3), code: 'SOURCE_QUERY_FAILED', tries: 1 }, {}, {}],
            overdue: [{ window: dateOf(3), state: 'failed' }, { window: dateOf(2) }],
          },
        ],
      },
    })

    await pool.query('alter table context_services.mislaid rename to services')
    await pool.query('update longhaul.archive_windows set retry_at = now()')
    for (const url of urls) {
      await until(async () => {
        const { failed, overdue } = await metricsOf(url)
        return failed === 0 && overdue === 0
      })
      const { json } = await ask(url, 'GET', '/readyz')
      expect(json).toMatchObject({ details: { archives: { status: 'ok' } } })
    }
    for (const times of [1, 2]) await runJob(system, logLines, times)
    expect(receiver.calls.map((call) => (JSON.parse(call.body) as { type: string }).type)).toEqual([
      'archive.alarm',
      'archive.recovered',
    ])
    expect(logLines.filter((line) => line.includes('archive alarm is over'))).toHaveLength(1)
    await expectNothingLeaked({ ...system, logLines }, [secret, 'hush-token'])
  })

  it('are nothing that a worker without archives looks for', async () => {
    const { system, logLines } = await setup()
    const lines: string[] = []
    const logger = createLogger(
      { level: 'info' },
      { write: (line: string) => void lines.push(line) },
    )
    const alerts = {
      url: 'https://alerts.example/hush-token',
      key: Buffer.alloc(32),
      allowPrivate: false,
    }
    const worker = await startExportWorker({ ...system.config, workerPort: 0, alerts }, logger)
    onTestFinished(() => worker.stop())
    expect(await metricsOf(worker.url)).toEqual({})
    expect((await ask(worker.url, 'GET', '/readyz')).json).not.toHaveProperty('details')
    expect(lines.filter((line) => line.includes('ALERT_WEBHOOK_URL is set, but'))).toHaveLength(1)
    expect([...lines, ...logLines].join('')).not.toContain('hush-token')
  })
})
