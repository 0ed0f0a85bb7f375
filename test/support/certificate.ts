import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'
import type { Release } from './release.ts'
import { createFolder } from './run-cli.ts'

const openssl = findProgram('openssl')

export const missingOpenssl = openssl === undefined ? 'there is no openssl' : undefined

export interface TestCertificate {
  /** The file of the certificate, to trust it. */
  readonly path: string
  readonly cert: string
  readonly key: string
}

/** Of `localhost`, by itself: nobody trusts it who is not told to. */
export async function createCertificate(release: Release): Promise<TestCertificate> {
  const folder = await createFolder(release)
  const [path, keyPath] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await promisify(execFile)(openssl ?? '', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', keyPath, '-out', path],
  ])
  return { path, cert: await readFile(path, 'utf8'), key: await readFile(keyPath, 'utf8') }
}
