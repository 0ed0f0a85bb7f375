import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { startStack } from '../../src/embedded/stack.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { connect } from '../../src/postgres/pool.ts'
import { seedServices, type SeedOptions } from '../../src/postgres/seed/seed-services.ts'
import { createResources, type Resources } from '../../src/runtime/resources.ts'
import { startProcess, type LonghaulProcess } from './processes.ts'

export interface BenchStack {
  readonly databaseUrl: string
  /** For the processes under test. */
  readonly environment: Readonly<Record<string, string>>
  /** `longhaul serve`, as a process. */
  readonly server: LonghaulProcess
  readonly url: string
  /** Absent where they are not ours: on another machine perhaps. */
  readonly postgresPid?: number
  readonly s3Pid?: number
  readonly resources: Resources
}

/** All that seedServices makes. */
export const everything = {
  time_from: '1900-01-01T00:00:00Z',
  time_to: '2200-01-01T00:00:00Z',
} as const

export const print = (line: string) => process.stdout.write(`${line}\n`)

/** What a stack that is there already is reached by. */
const stackVariable = /^(DATABASE_URL|S3_[A-Z_]+|AWS_[A-Z_]+)$/

/** An embedded stack of its own, in a temporary folder. */
async function startOwnStack(resources: Resources) {
  const dataDir = resources.add(
    join(tmpdir(), `longhaul-bench-${randomBytes(6).toString('hex')}`),
    removeStackData,
  )
  const { values, postgresPid, s3Pid } = resources.add(await startStack({ dataDir }), (started) =>
    started.stop(),
  )
  return { values, postgresPid, s3Pid }
}

/**
 * Runs a benchmark with a server of its own: on the stack that the environment names, if DATABASE_URL is set,
 * else on an embedded one, of which nothing is left, not even by Ctrl-C.
 * @param variables of all processes besides
 */
export async function withBenchStack(
  work: (stack: BenchStack) => Promise<void>,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const resources = createResources()
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => void resources.release().finally(() => process.exit(128 + number)))
  }
  try {
    const given = Object.entries(process.env).flatMap(([name, value]) =>
      stackVariable.test(name) && value !== undefined ? [[name, value] as const] : [],
    )
    const { DATABASE_URL: givenUrl } = process.env
    const { values, ...pids } =
      givenUrl === undefined
        ? await startOwnStack(resources)
        : { values: { ...Object.fromEntries(given), DATABASE_URL: givenUrl } }
    const environment = { ...values, PORT: '0', WORKER_PORT: '0', ...variables }
    const databaseUrl = values.DATABASE_URL
    await migrate(databaseUrl, { referenceSchema: true })
    const server = resources.add(await startProcess('serve', environment), (started) =>
      started.stop(),
    )
    const url = String(server.ready['url'])
    await work({ databaseUrl, environment, server, url, ...pids, resources })
  } finally {
    await resources.release()
  }
}

/** Brings the reference tables to so many services, by default in one month. */
export async function seedTo(
  databaseUrl: string,
  services: number,
  span: Pick<SeedOptions, 'from' | 'to'> = {},
): Promise<void> {
  const client = await connect(databaseUrl, 'source database')
  const { elapsedMs } = await seedServices(client, { services, seed: 1, ...span })
  await client.end()
  const seconds = (elapsedMs / 1000).toFixed(0)
  print(`seeded to ${services.toLocaleString('en-US')} services in ${seconds} s`)
}

/** Says which promises were broken; any makes the process end with exit code 1. */
export function judge(broken: readonly string[]): void {
  for (const promise of broken) print(`BROKEN: ${promise}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}
