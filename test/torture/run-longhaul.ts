import { execFile } from 'node:child_process'
import { longhaul } from './longhaul.ts'

export interface Ran {
  readonly code: number
  /** What it wrote, both streams. */
  readonly output: string
}

/** One command of the command line, to its end. */
export const runLonghaul = (
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], ...environment }
    const options = { env, cwd: '/', timeout: 120_000, killSignal: 'SIGKILL' as const }
    const child = execFile(process.execPath, [longhaul, ...args], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? 128, output: stdout + stderr })
    })
  })
