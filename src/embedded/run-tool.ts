import { spawn } from 'node:child_process'

/** Whom a process runs as, when not as ourselves. */
export interface RunAs {
  readonly uid: number
  readonly gid: number
}

export interface ToolOptions {
  readonly runAs?: RunAs | undefined
  readonly cwd?: string
  /** Given on standard input, which is then closed. */
  readonly input?: string
  readonly timeoutMs?: number
  /** Hand on our own environment instead of `TOOL_ENVIRONMENT`. */
  readonly inheritEnvironment?: boolean
}

export interface ToolResult {
  /** Null when the tool could not be started, ran out of time or was killed. */
  readonly code: number | null
  /** What it wrote, both streams together; or why it could not be started. */
  readonly output: string
}

/**
 * The whole environment of PostgreSQL's programs. Nothing of ours is handed on: a PGDATA, PGPORT or
 * LANG of the person at the terminal would change what they do.
 */
export const TOOL_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * Runs a program to its end. Never throws: a program that is missing or fails is an answer. It has a
 * process group of its own, so that Ctrl-C reaches us and not it, and is killed when we exit.
 */
export function runTool(
  file: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const { runAs, cwd = '/', input = '', timeoutMs = 60_000, inheritEnvironment = false } = options
  return new Promise<ToolResult>((resolve, reject) => {
    const child = spawn(file, args, {
      ...runAs,
      cwd,
      ...(inheritEnvironment ? {} : { env: TOOL_ENVIRONMENT }),
      detached: true,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    })
    const kill = () => child.kill('SIGKILL')
    let output = ''
    const collect = (text: string) => (output += text)
    child.once('error', reject)
    child.once('close', (code) => {
      process.off('exit', kill)
      resolve({ code, output })
    })
    process.once('exit', kill)
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    // it may end without reading its input
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  }).catch((error: unknown) => ({
    code: null,
    output: error instanceof Error ? error.message : String(error),
  }))
}
