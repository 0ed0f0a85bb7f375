import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Load, LoadResult } from './load.ts'

const program = fileURLToPath(new URL('./load.js', import.meta.url))

/** @throws Error when any answer was no success: what failed is not fast */
export async function runLoad(load: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [program], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // clients have no part in the processor of what they ask
    detached: true,
  })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.stdin.end(JSON.stringify(load))
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  process.off('exit', kill)
  const result = JSON.parse(output) as LoadResult
  if (Object.keys(result.failures).length > 0) {
    throw new Error(`Not every request succeeded: ${JSON.stringify(result.failures)}`)
  }
  return result
}
