import type { Service } from '../compose.ts'
import {
  exposeToAwsSdk,
  exposeToOpenTelemetry,
  parseConfig,
  type Config,
  type Environment,
} from '../config.ts'
import { InterruptedError } from '../errors.ts'
import { createLogger, terminalDestination, type Logger } from '../logger.ts'
import { listenForShutdown } from '../runtime/shutdown.ts'
import { exitCodeOf } from './exit-codes.ts'

/** What runs until it is told to stop. */
export interface ServiceDefinition {
  /** In traces. */
  readonly name: string
  readonly start: (
    config: Config,
    logger: Logger,
    options: { readonly signal: AbortSignal },
  ) => Promise<Service>
}

/** How long an interrupted export may take to be given back, and connections to close, ms. */
const endingMs = 15_000

/**
 * Runs one service until SIGINT or SIGTERM, then stops it; a second signal ends at once. So does the end
 * of the time to stop in, which is missed when a server that has gone silent never answers: what is
 * left then is what a kill would leave.
 */
export async function runService(
  environment: Environment,
  { name, start }: ServiceDefinition,
): Promise<void> {
  const config = parseConfig(environment)
  exposeToAwsSdk(environment)
  const logger = createLogger({ level: config.logLevel }, await terminalDestination())
  const tracing = config.tracing ? await traceService(name, environment, logger) : undefined
  const shutdown = listenForShutdown()
  const limitMs = config.shutdownGraceSeconds * 1000 + endingMs
  void shutdown.requested.then(() => {
    const end = () => {
      const error = new InterruptedError(`It did not stop within ${limitMs / 1000} s.`)
      logger.error({ err: error }, 'ends as it stands')
      process.exit(exitCodeOf(error))
    }
    setTimeout(end, limitMs).unref()
  })
  try {
    const service = await startUnlessStopped(start(config, logger, shutdown), shutdown.signal)
    await shutdown.requested
    logger.info('stopping')
    await service?.stop()
    await tracing?.stop()
    logger.info('stopped')
    // a connection whose peer never says good-bye would keep the process
    process.exit()
  } finally {
    shutdown.dispose()
  }
}

/** Undefined when it was asked to stop before it had started. */
const startUnlessStopped = (starting: Promise<Service>, signal: AbortSignal) =>
  starting.catch((error: unknown) => {
    if (error !== signal.reason) throw error
    return undefined
  })

async function traceService(name: string, environment: Environment, logger: Logger) {
  exposeToOpenTelemetry(environment)
  // loaded only here: what is not traced does without it
  const { startTracing } = await import('../tracing/start-tracing.ts')
  return startTracing(name, logger)
}
