import { describe, expect, it } from 'vitest'
import {
  archiveProbesFolder,
  attemptsPrefix,
  fileName,
  generationsPrefix,
  isManifestKey,
  objectKey,
  parseObjectKey,
  partitionKey,
  supersededKey,
  windowPrefix,
} from '../../src/export/object-key.ts'
import { newSpec, rangeOf } from '../support/new-export.ts'

const id = '8c1f5b4e-3a51-4b6e-9f0e-0d8f2f4f9a11'

describe('an object key', () => {
  it('names export, attempt, dataset and range', () => {
    expect(objectKey('', { id, attempt: 3, spec: newSpec() })).toBe(
      `exports/${id}/3/services_20140722T120000Z_20140722T180000Z.json`,
    )
  })

  it('puts the prefix before everything, as it is', () => {
    const key = objectKey('team a/', { id, attempt: 1, spec: newSpec() })
    expect(key).toMatch(/^team a\/exports\//)
  })

  it('of an archive is of a partition, and names window, generation, export and attempt', () => {
    const archive = { name: 'services', date: '2014-07-22', generation: 1 }
    const spec = newSpec({ format: 'ndjson', compression: 'gzip' })
    const facts = { id, attempt: 3, spec, archive }
    const key = objectKey('p/', facts)
    expect(key).toBe(
      `p/archive/services/dt=2014-07-22/20140722T120000Z_20140722T180000Z_g1_${id}-3.ndjson.gz`,
    )
    expect(partitionKey('p/', facts)).toBe(key)
    expect(parseObjectKey('p/', key)).toEqual({ id, attempt: 3, generation: 1 })
    for (const prefix of [
      attemptsPrefix('p/', facts),
      windowPrefix('p/', archive, spec),
      generationsPrefix('p/', archive, spec),
    ]) {
      expect(key.startsWith(prefix)).toBe(true)
    }
  })

  it('of a later generation is not of a partition before it takes the place of the one before', () => {
    const archive = { name: 'services', date: '2014-07-22', generation: 12 }
    const spec = newSpec({ format: 'ndjson', compression: 'gzip' })
    const facts = { id, attempt: 3, spec, archive }
    const key = objectKey('p/', facts)
    expect(key).toBe(objectKey('p/', { id, attempt: 3, spec }))
    expect(key.startsWith(attemptsPrefix('p/', facts))).toBe(true)
    const place = partitionKey('p/', facts)
    const rest = `dt=2014-07-22/20140722T120000Z_20140722T180000Z_g12_${id}-3.ndjson.gz`
    expect(place).toBe(`p/archive/services/${rest}`)
    expect(place.startsWith(windowPrefix('p/', { ...archive, generation: 1 }, spec))).toBe(false)
    const superseded = supersededKey('p/', place)
    expect(superseded).toBe(`p/archive/services/_superseded/${rest}`)
    for (const moved of [place, superseded]) {
      expect(parseObjectKey('p/', moved)).toEqual({ id, attempt: 3, generation: 12 })
    }
  })

  it('differs from attempt to attempt', () => {
    const spec = newSpec()
    expect(objectKey('', { id, attempt: 1, spec })).not.toBe(
      objectKey('', { id, attempt: 2, spec }),
    )
  })

  it.each([
    ['json', 'gzip', '.json.gz'],
    ['json', 'zstd', '.json.zst'],
    ['ndjson', 'none', '.ndjson'],
    ['ndjson', 'gzip', '.ndjson.gz'],
  ] as const)(
    'says how the object is laid out and packed: %s, %s',
    (format, compression, suffix) => {
      expect(fileName(newSpec({ format, compression }))).toBe(
        `services_20140722T120000Z_20140722T180000Z${suffix}`,
      )
    },
  )

  it.each([
    ['2014-07-22T12:00:00.000Z', '20140722T120000Z'],
    ['2014-07-22T12:00:00.500Z', '20140722T120000.5Z'],
    ['2014-07-22T12:00:00.010Z', '20140722T120000.01Z'],
    ['2014-07-22T12:00:00.000001Z', '20140722T120000.000001Z'],
  ])('writes %s as %s', (from, compact) => {
    const spec = newSpec({ range: rangeOf(from, '2014-07-23T00:00:00.000Z') })
    expect(fileName(spec)).toBe(`services_${compact}_20140723T000000Z.json`)
  })
})

describe('a key that was found in the store', () => {
  it('is told apart as export and attempt', () => {
    const key = objectKey('team a/', { id, attempt: 12, spec: newSpec() })
    expect(parseObjectKey('team a/', key)).toEqual({ id, attempt: 12 })
  })

  it.each([
    ['of another prefix', `exports/${id}/1/a.json`],
    ['with something before the prefix', `x/p/exports/${id}/1/a.json`],
    ['in an archive, of somebody', 'p/archive/services/dt=2014-07-22/a.ndjson.gz'],
    ['of a manifest', `p/archive/services/_manifests/20140722T120000Z_20140722T180000Z_g1.json`],
    ['of a doctor', `p/archive/_doctor/${id}`],
    ['of its copy', `${archiveProbesFolder('p/')}${id}-copy`],
    ['of no uuid', 'p/exports/mine/1/a.json'],
    ['of a uuid in capitals', `p/exports/${id.toUpperCase()}/1/a.json`],
    ['without an attempt', `p/exports/${id}/a.json`],
    ['with an attempt that is no number', `p/exports/${id}/one/a.json`],
    ['with an attempt that we would not write so', `p/exports/${id}/01/a.json`],
    ['with a folder more', `p/exports/${id}/1/more/a.json`],
    ['without a name', `p/exports/${id}/1/`],
  ])('is not ours: %s', (_title, key) => {
    expect(parseObjectKey('p/', key)).toBeUndefined()
    expect(isManifestKey('p/', key)).toBe(key.includes('_manifests'))
  })
})
