import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writePrivateFile } from './private-file.ts'

const FILE_NAME = 'stack.env'
const NAME = /^[A-Z_][A-Z0-9_]*$/
/** What a shell and Node read alike without quotes: nothing that either of them would expand. */
const PLAIN_VALUE = /^[A-Za-z0-9_./:@%+,=-]*$/

/**
 * Writes `<dataDir>/stack.env`, readable by its owner alone: the variables that make another process
 * use the running stack. Throws TypeError for a name or value that would need quoting.
 */
export async function writeStackEnv(
  dataDir: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const lines = Object.entries(values).map(([name, value]) => {
    if (!NAME.test(name)) throw new TypeError(`${JSON.stringify(name)} is no variable's name`)
    if (!PLAIN_VALUE.test(value)) throw new TypeError(`The value of ${name} would need quoting`)
    return `${name}=${value}\n`
  })
  const path = join(dataDir, FILE_NAME)
  const shown = PLAIN_VALUE.test(path) ? path : FILE_NAME
  const sourced = shown.startsWith('/') ? shown : `./${shown}`
  await writePrivateFile(
    path,
    '# How to reach the running stack; the file goes when the stack stops.\n' +
      `# In a shell: set -a; . ${sourced}; set +a\n` +
      lines.join(''),
  )
}

/** Removes the file: after the stack has stopped it would point at nothing. Idempotent. */
export async function removeStackEnv(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE_NAME), { force: true })
}
