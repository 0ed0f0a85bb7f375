import { describe, expect, it } from 'vitest'
import { fileName, objectKey } from '../../src/export/object-key.ts'
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

  it('differs from attempt to attempt', () => {
    const spec = newSpec()
    expect(objectKey('', { id, attempt: 1, spec })).not.toBe(
      objectKey('', { id, attempt: 2, spec }),
    )
  })

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
