import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import type { Finding } from '../../src/doctor/finding.ts'
import { version } from '../../src/version.ts'
import type { TestBucket } from '../support/bucket.ts'
import { createCertificate, missingOpenssl } from '../support/certificate.ts'
import { describeWith } from '../support/describe-with.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { errorOf, jsonOf, runCli, startCli } from '../support/run-cli.ts'
import { createS3Proxy } from '../support/s3-proxy.ts'
import { expectNoSecrets } from '../support/secrets.ts'
import { createServiceSetup } from '../support/service-setup.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

let bucket: TestBucket
let env: Readonly<Record<string, string>>

const release = releaseAfterAll()
beforeAll(async () => {
  ;({ bucket, env } = await createServiceSetup(release))
})

interface Document {
  readonly version: string
  readonly counts: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}

async function doctor(variables: Readonly<Record<string, string>> = {}) {
  const result = await runCli(['doctor', '--json'], { env: { ...env, ...variables } })
  expectNoSecrets(result.stdout + result.stderr)
  const { findings, ...rest } = jsonOf(result) as Document
  const of = (check: string) => findings.filter((each) => `${each.part}.${each.check}` === check)
  return { ...result, ...rest, findings, of }
}

describe('longhaul doctor', () => {
  it('ends with 0 where all is well, in words and as JSON', async () => {
    const { code, stderr, ...document } = await doctor()
    expect([code, stderr]).toEqual([0, ''])
    expect(document.version).toBe(version)
    expect(document.counts).toMatchObject({ problem: 0 })
    const told = await runCli(['doctor'], { env })
    expect([told.code, told.stderr]).toEqual([0, ''])
    expectNoSecrets(told.stdout)
    for (const { part, check } of document.findings) {
      expect(told.stdout).toMatch(new RegExp(`^${part}$`, 'm'))
      expect(told.stdout).toMatch(new RegExp(`^  (ok|warning|skipped) +${check}  `, 'm'))
    }
    expect(told.stdout).toMatch(/^\d+ ok, \d+ warnings?, 0 problems, \d+ skipped\n$/m)
    expect(await bucket.keys()).toEqual([])
    expect(await bucket.openUploads()).toEqual([])
  })

  it('has the note of the AWS SDK about Node 20, and no other process says it', async () => {
    const { of, stderr } = await doctor()
    const node20 = process.version.startsWith('v20.')
    expect(of('this machine.Node')[0]).toMatchObject(
      node20
        ? { state: 'warning', found: expect.stringContaining('January 2027') as string }
        : { state: 'ok' },
    )
    expect(stderr).not.toMatch(/AWS SDK/i)
  })

  it('ends with 1 where there is a problem, and with 78 where the configuration is none', async () => {
    const { code, stderr, counts, of } = await doctor({ S3_BUCKET: 'there-is-none' })
    expect([code, stderr, counts['problem']]).toEqual([1, '', 1])
    expect(of('bucket.answer')).toMatchObject([{ state: 'problem' }])
    const wrong = await runCli(['doctor', '--json'], {
      env: { ...env, PORT: 'eighty', HOST: '::' },
    })
    expect(wrong.code).toBe(78)
    expect(errorOf(wrong).message).toMatch(/PORT.*HOST/s)
  })

  it('says who has the ports', async () => {
    const stranger = net.createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void stranger.close())
    const { url } = await startTestSystem(onTestFinished, { worker: false })
    const { of } = await doctor({
      PORT: new URL(url).port,
      WORKER_PORT: String((stranger.address() as AddressInfo).port),
    })
    expect(of('server.PORT')).toMatchObject([{ state: 'ok', found: /Longhaul answers/ }].map(like))
    expect(of('server.WORKER_PORT')).toMatchObject(
      [{ state: 'warning', found: /something else/ }].map(like),
    )
  })

  it('looks at archives where there are any', async () => {
    const none = await doctor()
    expect(none.findings.filter(({ part }) => part === 'archive')).toEqual([])
    const { code, of } = await doctor({ ARCHIVE_SCHEDULE: 'hourly', ARCHIVE_TIMEZONE: 'UTC' })
    expect(code).toBe(0)
    expect(of('archive.definitions')).toMatchObject([
      { state: 'ok', found: 'services by the day, UTC' },
    ])
    expect(of('archive.copy')).toMatchObject([{ state: 'ok' }])
    expect(await bucket.keys()).toEqual([])
  })

  it('ends at once by Ctrl-C, with 130 and what it had found, and removes what it made', async () => {
    const proxy = await createS3Proxy(
      inject('stack').S3_ENDPOINT,
      (operation, _nth, forward) =>
        operation === 'head' ? new Promise(() => undefined) : forward(),
      onTestFinished,
    )
    const running = startCli(onTestFinished, ['doctor'], {
      env: { ...env, S3_ENDPOINT: proxy.url },
    })
    await until(() => proxy.count('head') > 0)
    expect(await bucket.keys()).toHaveLength(1)
    running.signal('SIGINT')
    const { code, stdout, stderr } = await running.ended
    expect([code, stdout]).toEqual([130, ''])
    expect(stderr).toMatch(/ok +put /)
    expect(stderr).toMatch(/skipped +stat +interrupted/)
    expectNoSecrets(stderr)
    expect(await bucket.keys()).toEqual([])
  })
})

describeWith('openssl', missingOpenssl, 'longhaul doctor, of a receiver by https', () => {
  it('trusts the certificate that it is told to trust, and no other', async () => {
    const { path, ...certificate } = await createCertificate(onTestFinished)
    let calls = 0
    const receiver = https.createServer(certificate, () => calls++)
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void receiver.close())
    const { port } = receiver.address() as AddressInfo
    const variables = {
      ...{ ARCHIVE_SCHEDULE: 'hourly', ALERT_WEBHOOK_ALLOW_PRIVATE: 'true' },
      ALERT_WEBHOOK_URL: `https://localhost:${port}/hush-token`,
      ALERT_WEBHOOK_SECRET: 'hush-secret-hush-secret-hush',
    }
    const strange = await doctor(variables)
    expect(strange.code).toBe(1)
    expect(strange.of('archive.webhook')).toMatchObject(
      [{ state: 'problem', found: /self-signed certificate$/ }].map(like),
    )
    const known = await doctor({ ...variables, NODE_EXTRA_CA_CERTS: path })
    expect(known.code).toBe(0)
    expect(known.of('archive.webhook')).toMatchObject([
      { state: 'ok', found: `https://localhost:${port} takes connections` },
    ])
    expect(known.stdout + strange.stdout).not.toContain('hush')
    expect(calls).toBe(0)
  })
})

const like = ({ state, found }: { state: string; found: RegExp }) => ({
  state,
  found: expect.stringMatching(found) as string,
})
