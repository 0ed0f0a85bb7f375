import { PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { errorOf, jsonOf, runCli } from '../support/run-cli.ts'
import { startTestSystem } from '../support/system.ts'

async function setup() {
  const system = await startTestSystem(onTestFinished)
  await insertFixtureServices(system.database.pool)
  const env = {
    ...inject('stack'),
    DATABASE_URL: system.database.url,
    S3_BUCKET: system.bucket.settings.bucket,
    ORPHAN_AGE_MINUTES: '0',
  }
  return { ...system, sweep: (...args: string[]) => runCli(['sweep', ...args], { env }), env }
}

describe('longhaul sweep', () => {
  it('expires what is due, removes what was lost, and says so', async () => {
    const { client, database, bucket, sweep } = await setup()
    const due = await client.wait((await client.request({ ...fixtureRange })).id)
    const young = await client.wait((await client.request({ ...fixtureRange })).id)
    await database.pool.query('update longhaul.exports set expires_at = now() where id = $1', [
      due.id,
    ])
    const lost = `exports/${young.id}/0/lost.json`
    const left = `exports/${young.id}/1/left.json`
    for (const Key of [lost, left]) {
      const put = { Bucket: bucket.settings.bucket, Key, Body: '[]' }
      await bucket.client.send(new PutObjectCommand(put))
    }
    const counts = { expired: 1, objects: 1, uploads: 0, unknown: 1, failed: 0 }
    const result = await sweep('--json')
    expect(result).toMatchObject({ code: 0, stderr: '' })
    expect(jsonOf(result)).toEqual(counts)
    expect(await client.status(due.id)).toMatchObject({ state: 'expired' })
    expect([...(await bucket.keys())].sort()).toEqual([lost, young.artifact!.key].sort())
    const again = await sweep()
    expect(again.stdout).toBe(
      'expired   0 artifacts\n' +
        'removed   0 objects and 0 open uploads of attempts that are over\n' +
        'left      1 entries that this control database does not know\n',
    )
  })

  it('says what stands in its way', async () => {
    const { env } = await setup()
    const noBucket = { ...env, S3_BUCKET: 'there-is-none' }
    const result = await runCli(['sweep', '--json'], { env: noBucket })
    expect(errorOf(result)).toMatchObject({ code: 'STORE_NO_BUCKET' })
    expect(result.code).toBe(22)
  })
})
