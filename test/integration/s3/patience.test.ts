import { setTimeout } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { patternBytes } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createMeddledStore } from '../../support/meddled-store.ts'
import type { Meddle, S3Operation } from '../../support/s3-proxy.ts'

const bytes = patternBytes(9 * MiB)
const patience = { usualMs: 2500, completionMs: 60_000 }

/** The first answer about this comes only after the usual patience. */
const silentAbout =
  (about: S3Operation): Meddle =>
  async (operation, nth, forward) => {
    const answer = await forward()
    if (operation === about && nth === 1) await setTimeout(2 * patience.usualMs)
    return answer
  }

describeOnS3('a store that is silent for long', (endpoint) => {
  it('while it completes an upload is waited for', async () => {
    const { put, proxy } = await createMeddledStore(onTestFinished, silentAbout('complete'), {
      endpoint: await endpoint(),
      patience,
    })
    expect(await put('a.json', bytes)).toMatchObject({ bytes: bytes.length })
    expect(proxy.count('complete')).toBe(1)
  })

  it.each(['create', 'part', 'head'] as const)('is asked again: %s', async (about) => {
    const { put, proxy, bucket } = await createMeddledStore(onTestFinished, silentAbout(about), {
      endpoint: await endpoint(),
      patience,
    })
    expect(await put('a.json', bytes)).toMatchObject({ bytes: bytes.length })
    // of two parts, or one of the others
    expect(proxy.count(about)).toBeGreaterThan(about === 'part' ? 2 : 1)
    expect(await bucket.openUploads()).toEqual([])
  })
})
