import { spawn } from 'node:child_process'
import { buildImage } from './build-image.ts'
import { execForm, lastOf, pairs, readDockerfile } from './dockerfile.ts'
import type { Release } from './release.ts'
import { until } from './until.ts'

/** One process of the image, that runs as it would in a container. */
export interface Container {
  readonly pid: number
  stderr(): string
  /** Resolves once its log has this message. */
  logged(message: string): Promise<void>
  terminate(): void
  readonly ended: Promise<ContainerEnd>
}

export interface ContainerEnd {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Containers {
  /** What stands for `/app`. */
  readonly folder: string
  /** @param words of the command, that ENTRYPOINT is given; none: CMD */
  start(environment: Environment, words?: readonly string[]): Container
  run(environment: Environment, words: readonly string[]): Promise<ContainerEnd>
  /** What HEALTHCHECK runs in a container with this environment. */
  checkHealth(environment: Environment): Promise<ContainerEnd>
}

type Environment = Readonly<Record<string, string>>

/**
 * The image without a container: its files, its environment, its user (when we are root) and its commands, as
 * the Dockerfile has them.
 */
export async function createContainers(release: Release): Promise<Containers> {
  const stages = readDockerfile()
  const folder = await buildImage(stages, release)
  const [uid, gid] = lastOf(stages, 'USER').split(':').map(Number)
  const user = process.getuid?.() === 0 ? { uid: uid!, gid: gid! } : {}
  const ownEnvironment = pairs(lastOf(stages, 'ENV'))

  const start = (environment: Environment, words: readonly string[]): Container => {
    const [program = '', ...args] = words.map((word) => word.replace(/^\/app\//, `${folder}/`))
    if (program !== 'node') throw new TypeError(`expected node to be started, got ${program}`)
    const child = spawn(process.execPath, args, {
      ...user,
      cwd: folder,
      // a container has a home, though not one with anything in it
      env: { PATH: '/usr/bin:/bin', HOME: '/home/node', ...ownEnvironment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const ended = new Promise<ContainerEnd>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, stdout, stderr }))
    })
    release(async () => {
      child.kill('SIGKILL')
      await ended
    })
    return {
      pid: child.pid ?? 0,
      ended,
      stderr: () => stderr,
      terminate: () => void child.kill('SIGTERM'),
      async logged(message) {
        const seen = await until(
          () => stderr.includes(`"msg":"${message}"`) || (child.exitCode !== null && 'ended'),
          { what: `"${message}" in the log` },
        )
        if (seen === 'ended')
          throw new TypeError(`it ended with ${child.exitCode ?? ''}: ${stderr}`)
      },
    }
  }

  const entryPoint = execForm(lastOf(stages, 'ENTRYPOINT'))
  const health = execForm(lastOf(stages, 'HEALTHCHECK').replace(/^.* CMD /, ''))
  return {
    folder,
    start: (environment, words = execForm(lastOf(stages, 'CMD'))) =>
      start(environment, [...entryPoint, ...words]),
    run: (environment, words) => start(environment, [...entryPoint, ...words]).ended,
    checkHealth: (environment) => start(environment, health).ended,
  }
}
