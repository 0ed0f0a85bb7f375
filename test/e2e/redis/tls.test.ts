import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { describeWith } from '../../support/describe-with.ts'
import { findProgram } from '../../support/find-program.ts'
import { startRedis } from '../../support/redis-server.ts'
import { createFolder, startCli } from '../../support/run-cli.ts'
import { createServiceSetup } from '../../support/service-setup.ts'
import { until } from '../../support/until.ts'

const openssl = findProgram('openssl')
const missing = openssl === undefined ? 'there is no openssl' : undefined

async function startSecureRedis() {
  const folder = await createFolder(onTestFinished)
  const certificate = join(folder, 'cert.pem')
  await promisify(execFile)(openssl ?? '', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-addext', 'subjectAltName=DNS:localhost'],
    ...['-keyout', join(folder, 'key.pem'), '-out', certificate],
  ])
  const [port, tlsPort] = [await lastingPort(), await lastingPort()]
  const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', 'cert.pem']
  const options = [...tls, '--tls-key-file', 'key.pem', '--tls-auth-clients', 'no']
  const server = await startRedis(port, options, {
    'cert.pem': await readFile(certificate, 'utf8'),
    'key.pem': await readFile(join(folder, 'key.pem'), 'utf8'),
  })
  onTestFinished(() => server.stop())
  return { url: `rediss://localhost:${tlsPort}`, certificate }
}

describeWith('openssl', missing, 'Redis with TLS', () => {
  async function setup() {
    const redis = await startSecureRedis()
    const { env } = await createServiceSetup(onTestFinished, { REDIS_URL: redis.url })
    return { redis, env }
  }

  it('is used where its certificate is trusted', async () => {
    const { redis, env } = await setup()
    const trusting = { ...env, NODE_EXTRA_CA_CERTS: redis.certificate }
    const worker = startCli(onTestFinished, ['worker'], { env: trusting })
    await until(() => worker.output().stderr.includes('worker ready'), {
      what: 'the worker to be ready',
    })
    worker.signal('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  })

  it('is refused where it is not, and the message says why', async () => {
    const { env } = await setup()
    const { code, stderr } = await startCli(onTestFinished, ['serve'], { env }).ended
    expect(code, stderr).toBe(23)
    expect(stderr).toMatch(
      /Redis at rediss:\/\/localhost:\d+ cannot be trusted: self-signed certificate/,
    )
  })
})
