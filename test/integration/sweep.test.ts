import {
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { describeWindow, manifestKey, sealManifest } from '../../src/archive/manifest.ts'
import { isNamed } from '../../src/archive/named-artifact.ts'
import { objectKey } from '../../src/export/object-key.ts'
import { createExportRecords } from '../../src/postgres/export-records.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { sweep, type SweepDeps } from '../../src/retention/sweep.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createArtifactStore } from '../../src/s3/artifact-store.ts'
import { createManifestStore } from '../../src/s3/manifest-store.ts'
import { createTestBucket } from '../support/bucket.ts'
import { createTestDatabase } from '../support/database.ts'
import { describeOnS3 } from '../support/describe-on-s3.ts'
import type { NewExport } from '../../src/export/model.ts'
import { newArtifact, newExport } from '../support/new-export.ts'
import { newWindow } from '../support/new-window.ts'

const keyPrefix = 'team/'
const live = { leaseMs: 60_000 }
const at = new Date()
const error = { code: 'STORE_UNAVAILABLE', message: 'away', retryable: true }
const failure = { error, failures: 1, rows: 0, at }

describeOnS3('the sweep of a bucket', (endpoint) => {
  async function setup() {
    const bucket = await createTestBucket(onTestFinished, await endpoint())
    const { client, settings } = bucket
    const Bucket = settings.bucket
    const database = await createTestDatabase(onTestFinished, { reference: false })
    const pool = createPool(database.url, { role: 'control database' })
    onTestFinished(() => pool.close())
    const records = createExportRecords(pool)
    const manifests = createManifestStore(client, Bucket)
    const deps = (orphanAgeMs: number): SweepDeps => ({
      records,
      artifacts: createArtifactStore({ client, bucket: Bucket }),
      isArchived: (record, key) => isNamed(manifests, keyPrefix, record, key),
      clock: systemClock,
      settings: { keyPrefix, orphanAgeMs },
    })
    const putObject = (Key: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body: '[]' }))
    async function beginUpload(Key: string): Promise<void> {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      const part = { PartNumber: 1, Body: 'x' }
      await client.send(new UploadPartCommand({ Bucket, Key, UploadId, ...part }))
    }
    /** An export in its second attempt; the first was interrupted. */
    async function secondAttempt(overrides: Partial<NewExport> = {}) {
      const { record } = await records.create(newExport(overrides))
      await records.release((await records.claim(record.id, live))!)
      const claim = (await records.claim(record.id, live))!
      const keys = [1, 2].map((attempt) => objectKey(keyPrefix, { ...record, attempt }))
      return { claim, lost: keys[0]!, current: keys[1]! }
    }
    const plant = async (key: string) => {
      await putObject(key)
      await beginUpload(key)
    }
    const left = async () => ({
      objects: [...(await bucket.keys())].sort(),
      uploads: [...(await bucket.openUploads())].sort(),
    })
    return { records, deps, putObject, plant, secondAttempt, left, manifests }
  }
  const sweepNow = (deps: SweepDeps) => sweep(deps, { signal: new AbortController().signal })

  describe('what it may remove, and what not', () => {
    it('leaves the attempt that runs, the winner, archives and all that is not ours', async () => {
      const { records, deps, putObject, plant, secondAttempt, left } = await setup()
      const running = await secondAttempt()
      const completed = await secondAttempt()
      const failed = await secondAttempt()
      const canceled = await secondAttempt()
      for (const { lost, current } of [running, failed, canceled]) {
        await plant(lost)
        await plant(current)
      }
      await plant(completed.lost)
      await putObject(completed.current)
      const times = { finishedAt: at, expiresAt: new Date(Date.now() + 60_000), snapshotAt: at }
      await records.complete(completed.claim, newArtifact({ key: completed.current }), times)
      await records.fail(failed.claim, { ...failure, again: false })
      await records.cancel(canceled.claim.id, at)
      const foreign = [
        'team/archive/services/dt=2014-07-22/a.ndjson.gz',
        'team/archive/services/_manifests/20140722T000000Z_20140723T000000Z_g1.json',
        `team/exports/${newExport().id}/1/another-installation.json`,
        'team/exports/notes.txt',
        `other/exports/${running.claim.id}/1/a.json`,
      ]
      for (const key of foreign) await plant(key)

      expect(await sweepNow(deps(3_600_000))).toMatchObject({ objects: 0, uploads: 0, unknown: 6 })
      const report = await sweepNow(deps(-60_000))
      expect(report).toMatchObject({ expired: 0, objects: 6, uploads: 6, failed: 0 })
      expect(await left()).toEqual({
        objects: [...foreign, running.current, completed.current].sort(),
        uploads: [...foreign, running.current].sort(),
      })
    })
  })

  describe('an archive', () => {
    it('keeps its artifacts, and loses what attempts left that did not win', async () => {
      const { records, deps, plant, putObject, secondAttempt, left } = await setup()
      const archive = { name: 'services', date: '2014-07-22', generation: 1 }
      const { claim, lost, current } = await secondAttempt({ archive })
      await plant(lost)
      await putObject(current)
      const times = { finishedAt: at, expiresAt: undefined, snapshotAt: at }
      await records.complete(claim, newArtifact({ key: current }), times)
      expect(await sweepNow(deps(-60_000))).toMatchObject({ objects: 1, uploads: 1, unknown: 0 })
      expect(await left()).toEqual({ objects: [current], uploads: [] })
    })

    it('keeps what a manifest names, though the control database was set back', async () => {
      const { records, deps, plant, putObject, secondAttempt, left, manifests } = await setup()
      const archive = { name: 'services', date: '2014-07-22', generation: 1 }
      const { claim, lost, current } = await secondAttempt({ archive })
      await putObject(lost)
      await plant(current)
      const artifact = newArtifact({ key: lost })
      const { from, to } = claim.spec.range
      const window = newWindow({ from: new Date(from), to: new Date(to) })
      const manifest = describeWindow(
        window,
        { unit: 'day', timeZone: 'UTC' },
        { ...claim, attempt: 1, artifact, snapshotAt: at, finishedAt: at },
      )
      const key = manifestKey(keyPrefix, window)
      await manifests.putOnce(key, sealManifest(manifest))
      await records.fail(claim, { ...failure, again: false })
      expect(await sweepNow(deps(-60_000))).toMatchObject({ objects: 1, uploads: 1, failed: 0 })
      expect(await left()).toEqual({ objects: [key, lost].sort(), uploads: [] })
    })
  })

  describe('many at once', () => {
    it('expire each artifact once, and do no harm', async () => {
      const { records, deps, putObject, left } = await setup()
      for (let n = 0; n < 12; n++) {
        const { record } = await records.create(newExport())
        const claim = (await records.claim(record.id, live))!
        const key = objectKey(keyPrefix, claim)
        await putObject(key)
        const times = { finishedAt: at, expiresAt: at, snapshotAt: at }
        await records.complete(claim, newArtifact({ key }), times)
      }
      const reports = await Promise.all([1, 2, 3].map(() => sweepNow(deps(-60_000))))
      expect(reports.reduce((sum, { expired }) => sum + expired, 0)).toBe(12)
      expect(reports.map(({ failed }) => failed)).toEqual([0, 0, 0])
      expect(await left()).toEqual({ objects: [], uploads: [] })
      expect((await records.list({ state: 'expired', limit: 20 })).exports).toHaveLength(12)
    })
  })
})
