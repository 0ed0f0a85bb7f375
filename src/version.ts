import { existsSync, readFileSync } from 'node:fs'

/** The package's own version; package.json is one folder further up from the compiled file. */
function readVersion(): string {
  const candidates = ['../package.json', '../../package.json'].map(
    (path) => new URL(path, import.meta.url),
  )
  const file = candidates.find((url) => existsSync(url))
  if (file === undefined) return 'unknown'
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  return version
}

export const version = readVersion()
