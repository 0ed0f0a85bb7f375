import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the project. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url))

export const readProjectFile = (path: string): string =>
  readFileSync(join(projectFolder, path), 'utf8')
