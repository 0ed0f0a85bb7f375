import { waitUntilGone } from '../../src/embedded/processes.ts'
import type { Resources } from '../../src/runtime/resources.ts'

/** A server of the system that can be killed and started again. */
export interface KillableServer {
  readonly name: string
  isUp(): boolean
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  start(): Promise<void>
}

export interface KillableServerOptions {
  readonly name: string
  readonly folder: string
  /** The same after each start. */
  readonly port: number
  /** Told when it ends without having been killed here. */
  readonly onDeath: (how: string) => void
}

/** One run of a server. */
interface RunningServer {
  readonly port: number
  readonly pid: number
  readonly failed: Promise<Error>
  stop(): Promise<void>
}

/** Starts a server, and stops it with the resources. `launch` starts it on its data, whatever became of it before. */
export async function createKillableServer(
  resources: Resources,
  { name, port, onDeath }: Pick<KillableServerOptions, 'name' | 'port' | 'onDeath'>,
  launch: () => Promise<RunningServer>,
): Promise<KillableServer> {
  let server: RunningServer | undefined

  async function start(): Promise<void> {
    const started = await launch()
    if (started.port !== port) throw new TypeError(`${name}: port ${port} was taken`)
    server = started
    void started.failed.then(({ message }) => {
      if (server === started) onDeath(message)
    })
  }

  await start()
  resources.add(undefined, () => server?.stop())
  return {
    name,
    start,
    isUp: () => server !== undefined,
    async kill() {
      const killed = server
      server = undefined
      if (killed === undefined) return
      process.kill(killed.pid, 'SIGKILL')
      await waitUntilGone([killed.pid], 10_000)
      // what watched it goes with it
      await killed.stop()
    },
  }
}
