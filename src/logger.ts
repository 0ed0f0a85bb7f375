import { activeSpanFields } from './runtime/trace.ts'
import { pino, type DestinationStream, type Logger } from 'pino'

export type { Logger } from 'pino'

/** Fields that could carry a secret, wherever they stand in a logged object. */
const secretFields = ['authorization', 'password', 'connectionString', 'apiKey', 'cookie']

/** An error of node-postgres brings along the whole client whose it is. */
const serializeError = (error: Error) => ({ ...pino.stdSerializers.err(error), client: undefined })

/**
 * One JSON line an event, on stderr: stdout belongs to what a command prints.
 * @param destination for tests and for `dev`, which keeps its log in a file
 */
export function createLogger(
  { level }: { readonly level: string },
  destination: DestinationStream = pino.destination(2),
): Logger {
  return pino(
    {
      level,
      base: null,
      mixin: activeSpanFields,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretFields.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    },
    destination,
  )
}

/**
 * Where a person reads: the same events, one in a line or more, in colours.
 * @returns undefined where stderr is no terminal
 */
export async function terminalDestination(): Promise<DestinationStream | undefined> {
  if (!process.stderr.isTTY) return undefined
  // loaded only here: what runs unattended does without it
  const { build } = await import('pino-pretty')
  return build({ destination: 2, sync: true })
}
