/** The composition root of the archives' alarms. */
import { archiveAlarmsJob } from '../jobs/archive-alarms.ts'
import { alarmData, describeAlarms } from './archive/alarm-message.ts'
import { createAlarmLook, isAlarmed } from './archive/alarms.ts'
import { tellAlarms, type AlarmLog, type TellAlarmsDeps } from './archive/tell-alarms.ts'
import type { ArchiveDefinition } from './archive/model.ts'
import type { Base } from './compose.ts'
import type { Config } from './config.ts'
import { latestLook } from './config/archive.ts'
import type { Logger } from './logger.ts'
import { measureAlarms } from './metrics/archive-alarms.ts'
import type { Registry } from './metrics/registry.ts'
import type { QueueConnection } from './queue/connection.ts'
import { startScheduled } from './queue/start-scheduled.ts'
import { systemClock } from './runtime/clock.ts'
import type { Readiness } from './runtime/readiness.ts'
import { rested } from './runtime/rested.ts'
import { sendWebhook } from './webhook/send-webhook.ts'

/** Scrapes and probes look at the ledger no more often, ms. */
const restMs = 10_000

export type AlarmParts = Pick<Base, 'resources' | 'ledger' | 'alarmMemory'> & {
  readonly registry: Registry
  readonly readiness: Pick<Readiness, 'watches'>
}

/**
 * Shows the alarms of the archives in metrics and readiness, and tells them once an hour, whichever worker is first;
 * stopped with the resources.
 * @throws QueueError
 */
export async function startAlarms(
  { resources, ledger, alarmMemory, registry, readiness }: AlarmParts,
  definitions: readonly ArchiveDefinition[],
  { archive, alerts }: Pick<Config, 'archive' | 'alerts'>,
  connection: QueueConnection,
  logger: Logger,
): Promise<void> {
  const names = definitions.map(({ name }) => name)
  const lookAt = createAlarmLook(ledger, names, (by) => latestLook(archive, by))
  const look = () => lookAt(systemClock.now())
  const lookSeldom = rested(look, restMs)
  measureAlarms(lookSeldom, registry, systemClock)
  readiness.watches({
    async archives() {
      const alarms = (await lookSeldom()).filter(isAlarmed)
      if (alarms.length === 0) return { status: 'ok' }
      return { status: 'alarm', message: describeAlarms(alarms) }
    },
  })
  const deps: TellAlarmsDeps = {
    ...{ look, memory: alarmMemory, clock: systemClock, log: alarmLog(logger) },
    call: alerts && ((message, options) => sendWebhook(alerts, message, options)),
  }
  const tell = (options: { readonly signal: AbortSignal }) => tellAlarms(deps, options)
  await startScheduled(connection, archiveAlarmsJob, tell, { resources, logger })
}

const alarmLog = (logger: Logger): AlarmLog => ({
  raised: (alarms, since) =>
    logger.error(
      { since, archives: alarmData(alarms) },
      `archive alarm: ${describeAlarms(alarms)}; \`longhaul archive status\` has the whole`,
    ),
  over: (since) => logger.info({ since }, 'archive alarm is over'),
})

/** Who wants to be called would wait for ever. */
export function warnOfIdleAlerts({ alerts }: Pick<Config, 'alerts'>, logger: Logger): void {
  if (alerts === undefined) return
  logger.warn('ALERT_WEBHOOK_URL is set, but nothing is archived: ARCHIVE_SCHEDULE is not')
}
