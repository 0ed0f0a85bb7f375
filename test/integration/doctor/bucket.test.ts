import {
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { describeWith } from '../../support/describe-with.ts'
import { createS3Proxy, s3Error, type S3Operation } from '../../support/s3-proxy.ts'
import { lastingPort } from '../../support/lasting-port.ts'
import { until } from '../../support/until.ts'
import { createPatient, saying } from './setup.ts'

/** The bucket, behind a proxy that refuses some operations as a policy would. */
async function refusing(...refused: readonly S3Operation[]) {
  const patient = await createPatient(onTestFinished)
  const proxy = await createS3Proxy(
    patient.bucket.settings.endpoint!,
    (operation, _nth, forward) =>
      refused.includes(operation) ? Promise.resolve(s3Error(403, 'AccessDenied')) : forward(),
    onTestFinished,
  )
  return { ...patient, diagnosis: await patient.diagnose({ S3_ENDPOINT: proxy.url }) }
}

describe('a bucket', () => {
  it('that is not there is told once', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const { of, checks } = await diagnose({ S3_BUCKET: 'there-is-none' })
    expect(of('bucket.answer')).toEqual([
      saying('problem', /There is no bucket "there-is-none"/, /Create the bucket/),
    ])
    expect(checks('problem')).toEqual(['bucket.answer'])
  })

  it('whose store is away, or does not know our keys, is told once', async () => {
    const { bucket, diagnose } = await createPatient(onTestFinished)
    const away = await diagnose({ S3_ENDPOINT: `http://127.0.0.1:${await lastingPort()}` })
    expect(away.of('bucket.answer')).toEqual([saying('problem', /ECONNREFUSED/, /S3_ENDPOINT/)])
    expect(away.checks('problem')).toEqual(['bucket.answer'])

    const proxy = await createS3Proxy(
      bucket.settings.endpoint!,
      () => Promise.resolve(s3Error(403, 'SignatureDoesNotMatch')),
      onTestFinished,
    )
    const strangers = await diagnose({ S3_ENDPOINT: proxy.url })
    expect(strangers.of('bucket.answer')).toEqual([
      saying('problem', /SignatureDoesNotMatch/, /credentials/),
    ])
    expect(strangers.checks('problem')).toEqual(['bucket.answer'])
  })

  it.each([
    ['put', 'put', 's3:PutObject', 'exports/*'],
    ['head', 'stat', 's3:GetObject', 'exports/*'],
    ['uploads', 'list uploads', 's3:ListBucketMultipartUploads', ''],
    ['create', 'begin upload', 's3:PutObject', 'exports/*'],
    ['part', 'send part', 's3:PutObject', 'exports/*'],
  ] as const)('that refuses %s has its check %s say so', async (operation, check, action, key) => {
    const { bucket, diagnosis } = await refusing(operation)
    const { bucket: name } = bucket.settings
    const resource = `arn:aws:s3:::${name}${key === '' ? '' : `/${key}`} in`
    expect(diagnosis.checks('problem')).toEqual([`bucket.${check}`])
    expect(diagnosis.of(`bucket.${check}`)).toEqual([saying('problem', /AccessDenied|HTTP 403/)])
    expect(diagnosis.of(`bucket.${check}`)[0]!.advice).toContain(`Allow ${action} on ${resource}`)
    expect(await bucket.keys()).toEqual([])
    expect(await bucket.openUploads()).toEqual([])
  })

  it('that refuses to delete or to abort says so, and what is left is where the sweep looks', async () => {
    const { bucket, diagnosis } = await refusing('delete', 'abort')
    expect(diagnosis.checks('problem')).toEqual(['bucket.delete', 'bucket.abort upload'])
    expect(diagnosis.of('bucket.delete')[0]!.advice).toContain('Allow s3:DeleteObject on ')
    const { advice } = diagnosis.of('bucket.abort upload')[0]!
    expect(advice).toContain('Allow s3:AbortMultipartUpload on ')
    for (const left of [await bucket.keys(), await bucket.openUploads()]) {
      expect(left).toEqual([expect.stringMatching(/^exports\/doctor\/[0-9a-f-]{36}$/)])
    }
  })

  it('keeps to the prefix', async () => {
    const patient = await createPatient(onTestFinished)
    const diagnosis = await patient.diagnose({ S3_PREFIX: 'team-a/' })
    expect(diagnosis.of('bucket.list')).toEqual([saying('ok', /below team-a\/exports\//)])
    expect(diagnosis.checks('problem')).toEqual([])
  })
})

describe('a link', () => {
  it('that leads to an address for others is a warning, to nowhere a problem', async () => {
    const { diagnose } = await createPatient(onTestFinished)
    const elsewhere = `http://127.0.0.1:${await lastingPort()}`
    const { of, checks } = await diagnose({ S3_LINK_ENDPOINT: elsewhere })
    expect(of('bucket.link')).toEqual([
      saying('warning', /nobody answers at http:\/\/127.0.0.1:\d+, .*ECONNREFUSED$/, /for others/),
    ])
    expect(checks('problem')).toEqual([])
  })

  it('that what is between does not let through is a problem', async () => {
    const { bucket, diagnose } = await createPatient(onTestFinished)
    const answered = (answer: Parameters<typeof createS3Proxy>[1]) =>
      createS3Proxy(bucket.settings.endpoint!, answer, onTestFinished)
    const forbidding = await answered(() => Promise.resolve(s3Error(403, 'AccessDenied')))
    const forbidden = await diagnose({ S3_LINK_ENDPOINT: forbidding.url })
    expect(forbidden.of('bucket.link')).toEqual([saying('problem', /status 403/, /clock/)])

    const changing = await answered(async (_operation, _nth, forward) => {
      const answer = await forward()
      const body = Buffer.from(answer.body)
      return { ...answer, body: body.fill(0, 0, 1) }
    })
    const changed = await diagnose({ S3_LINK_ENDPOINT: changing.url })
    expect(changed.of('bucket.link')).toEqual([saying('problem', /not what was stored/)])
  })
})

describe('a doctor that is interrupted', () => {
  it.each(['put', 'head', 'create', 'part', 'abort'] as const)(
    'with the store at work on %s removes what it made',
    async (operation) => {
      const { bucket, diagnose } = await createPatient(onTestFinished)
      const interrupting = new AbortController()
      let release: (() => void) | undefined
      const proxy = await createS3Proxy(
        bucket.settings.endpoint!,
        async (asked, nth, forward) => {
          if (asked === operation && nth === 1) {
            interrupting.abort(new Error('Ctrl-C'))
            // what makes something is done all the same, but its answer is late
            const answer = await forward()
            await new Promise<void>((resolve) => (release = resolve))
            return answer
          }
          return forward()
        },
        onTestFinished,
      )
      const diagnosing = diagnose({ S3_ENDPOINT: proxy.url }, { signal: interrupting.signal })
      await until(() => release !== undefined)
      release!()
      const { of, checks } = await diagnosing
      expect(of('bucket.lifecycle')).toEqual([saying('skipped', /interrupted|needs/)])
      expect(checks('problem')).toEqual([])
      expect(await bucket.keys()).toEqual([])
      expect(await bucket.openUploads()).toEqual([])
    },
  )
})

const { missing, starter } = inject('radosgw')
describeWith('radosgw', missing, 'a store of others', () => {
  it('is as well, and tells its lifecycle rules', async () => {
    const s3Endpoint = await (await fetch(starter)).text()
    const { bucket, diagnose } = await createPatient(onTestFinished, { s3Endpoint })
    const without = await diagnose()
    expect(without.checks('problem')).toEqual([])
    expect(without.of('bucket.lifecycle')).toEqual([saying('warning', /no lifecycle rule/, /Add/)])

    const { client, settings } = bucket
    const Bucket = settings.bucket
    const rule = (Prefix: string, Days: number) => ({
      ...{ ID: Prefix, Status: 'Enabled' as const, Filter: { Prefix }, Expiration: { Days } },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
    })
    const rules = { Rules: [rule('exports/', 30), rule('exports/a', 2)] }
    await client.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: rules }),
    )
    expect((await diagnose()).of('bucket.lifecycle')).toEqual([
      saying('ok', /aborted after 3 days/),
      saying('warning', /removes objects after 2 days/, /ARTIFACT_TTL_DAYS/),
    ])

    await client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    )
    expect((await diagnose()).of('bucket.delete')).toEqual([
      saying('warning', /keeps it as an old version/, /NoncurrentVersionExpiration/),
    ])
  })
})
