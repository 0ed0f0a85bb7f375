import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/**
 * The path of an installed program, if there is one. The system's own comes before what PATH has: that
 * may be a wrapper which picks a version by the working folder or the home. Servers are not on everybody's PATH.
 */
export function findProgram(name: string): string | undefined {
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(':'), '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
