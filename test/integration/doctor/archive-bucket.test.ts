import { PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { describeWith } from '../../support/describe-with.ts'
import { createS3Proxy, s3Error, type Meddle, type S3Operation } from '../../support/s3-proxy.ts'
import { until } from '../../support/until.ts'
import { createPatient, saying } from './setup.ts'

const scheduled = { ARCHIVE_SCHEDULE: 'hourly' }

/** Behind a proxy that answers some requests for objects below the archives, and passes all others on. */
async function meddled(answer: Meddle, signal?: AbortSignal) {
  const patient = await createPatient(onTestFinished)
  const proxy = await createS3Proxy(
    patient.bucket.settings.endpoint!,
    async (operation, nth, forward, path) =>
      (path.includes('/archive/_doctor/')
        ? await answer(operation, nth, forward, path)
        : undefined) ?? forward(),
    onTestFinished,
  )
  const variables = { ...scheduled, S3_ENDPOINT: proxy.url }
  const diagnosing = patient.diagnose(variables, signal === undefined ? {} : { signal })
  return { ...patient, diagnosing }
}

const refusing = (...refused: readonly S3Operation[]) =>
  meddled((operation) =>
    Promise.resolve(refused.includes(operation) ? s3Error(403, 'AccessDenied') : undefined),
  )

describe('a bucket that, below the archives,', () => {
  it.each([
    ['put', 'put', 's3:PutObject'],
    ['copy', 'copy', 's3:GetObject and s3:PutObject'],
    ['head', 'copy', 's3:GetObject and s3:PutObject'],
    ['create', 'begin upload', 's3:PutObject'],
    ['part', 'send part', 's3:PutObject'],
  ] as const)('refuses %s has its check %s say so', async (operation, check, actions) => {
    const { bucket, diagnosing } = await refusing(operation)
    const { of, checks } = await diagnosing
    const { bucket: name } = bucket.settings
    expect(checks('problem')).toEqual([`archive.${check}`])
    expect(of(`archive.${check}`)[0]!.advice).toContain(
      `Allow ${actions} on arn:aws:s3:::${name}/archive/* in`,
    )
    expect(await bucket.keys()).toEqual([])
    expect(await bucket.openUploads()).toEqual([])
  })

  it('refuses to read by a link is told so', async () => {
    const { diagnosing } = await refusing('other')
    const { of, checks } = await diagnosing
    expect(checks('problem')).toEqual(['archive.link'])
    expect(of('archive.link')).toEqual([saying('problem', /403/, /s3:GetObject below archive\//)])
  })

  it('cannot copy is told so', async () => {
    const { bucket, diagnosing } = await meddled((operation) =>
      Promise.resolve(operation === 'copy' ? s3Error(501, 'NotImplemented') : undefined),
    )
    const { of, checks } = await diagnosing
    expect(checks('problem')).toEqual(['archive.copy'])
    expect(of('archive.copy')).toEqual([saying('problem', /cannot copy/, /CopyObject/)])
    expect(await bucket.keys()).toEqual([])
  })

  it('refuses to delete or to abort says so, and what is left is where the sweep looks', async () => {
    const { bucket, diagnosing } = await refusing('delete', 'abort')
    const { checks } = await diagnosing
    expect(checks('problem')).toEqual(['archive.delete', 'archive.abort upload'])
    const left = [...(await bucket.keys()), ...(await bucket.openUploads())]
    expect(left.map((key) => key.replace(/[0-9a-f-]{36}/, 'ID'))).toEqual([
      ...['archive/_doctor/ID', 'archive/_doctor/ID-copy', 'archive/_doctor/ID'],
    ])
  })

  it.each(['put', 'copy', 'create', 'part'] as const)(
    'is at work on %s as the doctor is interrupted has nothing left',
    async (operation) => {
      const interrupting = new AbortController()
      let release: (() => void) | undefined
      const { bucket, diagnosing } = await meddled(async (asked, _nth, forward) => {
        if (asked !== operation || release !== undefined) return undefined
        interrupting.abort(new Error('Ctrl-C'))
        // it is done all the same, but its answer is late
        const answer = await forward()
        await new Promise<void>((resolve) => (release = resolve))
        return answer
      }, interrupting.signal)
      await until(() => release !== undefined)
      release!()
      const { of, checks } = await diagnosing
      expect(of('archive.lifecycle')).toEqual([saying('skipped', /interrupted|needs/)])
      expect(checks('problem')).toEqual([])
      expect(await bucket.keys()).toEqual([])
      expect(await bucket.openUploads()).toEqual([])
    },
  )
})

const { missing, starter } = inject('radosgw')
describeWith('radosgw', missing, 'archives in a store of others', () => {
  it('are as well, and no lifecycle rule may remove them', async () => {
    const s3Endpoint = await (await fetch(starter)).text()
    const { bucket, diagnose } = await createPatient(onTestFinished, { s3Endpoint })
    const lifecycle = async () => {
      const { of, checks } = await diagnose(scheduled)
      expect(['', 'archive.lifecycle']).toContain(checks('problem').join())
      return of('archive.lifecycle')
    }
    expect(await lifecycle()).toEqual([saying('ok', /no lifecycle rule removes/)])
    expect(await bucket.keys()).toEqual([])

    const { client, settings } = bucket
    const rule = (ID: string, filter: object, expiration?: object) => ({
      ...{ ID, Status: 'Enabled' as const, Filter: filter },
      ...(expiration === undefined
        ? { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 } }
        : { Expiration: expiration }),
    })
    const set = async (...rules: ReturnType<typeof rule>[]) => {
      const LifecycleConfiguration = { Rules: rules }
      await client.send(
        new PutBucketLifecycleConfigurationCommand({
          ...{ Bucket: settings.bucket, LifecycleConfiguration },
        }),
      )
    }
    const net = rule('net', { Prefix: '' })
    await set(net, rule('exports', { Prefix: 'exports/' }, { Days: 30 }))
    expect(await lifecycle()).toEqual([saying('ok', /no lifecycle rule removes/)])
    await set(net, rule('all', { Prefix: 'archive/' }, { Days: 400 }))
    expect(await lifecycle()).toEqual([
      saying('problem', /rule "all" removes all .* archive\/ after 400 days/, /ARCHIVE_KEEP/),
    ])
    const tag = { Key: 'kind', Value: 'export' }
    await set(net, rule('tagged', { And: { Prefix: 'archive/', Tags: [tag] } }, { Days: 9 }))
    expect(await lifecycle()).toEqual([
      saying('warning', /rule "tagged" removes some .* after 9 days/, /Leave/),
    ])
    const date = { Date: new Date('2099-01-01T00:00:00Z') }
    await set(net, rule('dated', { Prefix: 'archive/services/' }, date))
    expect(await lifecycle()).toEqual([
      saying('problem', /rule "dated" .* archive\/services\/ from 2099-01-01 on/),
    ])
  })
})
