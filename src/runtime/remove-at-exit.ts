import { rmSync } from 'node:fs'

/** Of the whole process, as its exit is; one listener, however many files. */
const paths = new Set<string>()

const removeAll = (): void => {
  for (const path of paths) rmSync(path, { force: true })
}

/**
 * Removes the file at `path` should the process exit, such as by a second Ctrl-C, before its owner
 * could. @returns how to take that back
 */
export function removeAtExit(path: string): () => void {
  if (paths.size === 0) process.on('exit', removeAll)
  paths.add(path)
  return () => {
    paths.delete(path)
    if (paths.size === 0) process.off('exit', removeAll)
  }
}
