import type { Service } from '../compose.ts'
import { exposeToAwsSdk, parseConfig, type Config, type Environment } from '../config.ts'
import { createLogger, type Logger } from '../logger.ts'
import { listenForShutdown } from '../runtime/shutdown.ts'

/** Runs one service until SIGINT or SIGTERM, then stops it; a second signal ends at once. */
export async function runService(
  environment: Environment,
  start: (config: Config, logger: Logger) => Promise<Service>,
): Promise<void> {
  const config = parseConfig(environment)
  exposeToAwsSdk(environment)
  const logger = createLogger({ level: config.logLevel })
  const shutdown = listenForShutdown()
  try {
    const service = await start(config, logger)
    await shutdown.requested
    logger.info('stopping')
    await service.stop()
    logger.info('stopped')
  } finally {
    shutdown.dispose()
  }
}
