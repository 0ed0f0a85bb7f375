import { expect, it, onTestFinished } from 'vitest'
import { createCertificate, missingOpenssl } from '../../support/certificate.ts'
import { lastingPort } from '../../support/lasting-port.ts'
import { describeWith } from '../../support/describe-with.ts'
import { startRedis } from '../../support/redis-server.ts'
import { startCli } from '../../support/run-cli.ts'
import { createServiceSetup } from '../../support/service-setup.ts'
import { until } from '../../support/until.ts'

async function startSecureRedis() {
  const { path, cert, key } = await createCertificate(onTestFinished)
  const [port, tlsPort] = [await lastingPort(), await lastingPort()]
  const tls = ['--tls-port', String(tlsPort), '--tls-cert-file', 'cert.pem']
  const options = [...tls, '--tls-key-file', 'key.pem', '--tls-auth-clients', 'no']
  const server = await startRedis(port, options, {
    'cert.pem': cert,
    'key.pem': key,
  })
  onTestFinished(() => server.stop())
  return { url: `rediss://localhost:${tlsPort}`, certificate: path }
}

describeWith('openssl', missingOpenssl, 'Redis with TLS', () => {
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
