import { spawn, type ChildProcess } from 'node:child_process'

const guarded = new Set<ChildProcess>()

const killAll = (): void => {
  for (const child of guarded) child.kill('SIGKILL')
}

/**
 * Sees to it that a child ends with this process, however that ends: by the listener when it exits, and
 * by a shell that reads from a pipe whose other end only we hold when it is killed.
 */
export function guard(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  if (guarded.size === 0) process.on('exit', killAll)
  guarded.add(child)
  const watch = spawn('/bin/sh', ['-c', 'read -r line || kill -KILL "$1"', 'guard', String(pid)], {
    cwd: '/',
    env: {},
    // in a group of its own: Ctrl-C at the terminal is for us
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watch.stdin.on('error', () => undefined)
  child.once('exit', () => {
    // its id may soon be another's
    watch.stdin.end('ended\n')
    guarded.delete(child)
    if (guarded.size === 0) process.off('exit', killAll)
  })
}
