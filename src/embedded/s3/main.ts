import { startS3Server, type S3Server, type S3ServerOptions } from './server.ts'

/*
 * The child process of the embedded stack. It is started with an IPC channel and gets its options over it,
 * because the arguments of a process are for everybody to see. It answers `ready` or `failed`, and
 * ends when the channel closes, which also happens when the parent is killed.
 */

/** From the parent, once. */
export interface StartMessage {
  readonly type: 'start'
  readonly options: S3ServerOptions
}

/** To the parent, once. */
export type StartedMessage =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly message: string }

let starting: Promise<S3Server> | undefined

async function start(options: S3ServerOptions): Promise<void> {
  try {
    starting = startS3Server(options)
    const { port, url } = await starting
    process.stderr.write(
      `Embedded S3 on ${url}: for trying out and testing, never for production.\n`,
    )
    tell({ type: 'ready', port })
  } catch (error) {
    process.exitCode = 1
    const message = error instanceof Error ? error.message : String(error)
    tell({ type: 'failed', message }, () => process.disconnect())
  }
}

async function stop(): Promise<void> {
  const server = await starting?.catch(() => undefined)
  await server?.close()
  process.exit()
}

function tell(message: StartedMessage, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent)
}

function isStart(message: unknown): message is StartMessage {
  return (
    typeof message === 'object' && message !== null && 'type' in message && message.type === 'start'
  )
}

if (process.send === undefined) {
  process.stderr.write('This is the child process of the embedded stack: use `longhaul dev`.\n')
  process.exitCode = 64
} else if (process.connected) {
  process.on('message', (message) => {
    if (isStart(message) && starting === undefined) void start(message.options)
  })
  process.once('disconnect', () => void stop())
  process.once('SIGTERM', () => void stop())
  // Ctrl-C reaches the whole group; in which order things end is for the parent to say
  process.on('SIGINT', () => undefined)
}
