/** Variables of the object store that need more than a look at their form. */
import { z } from 'zod'
import { got } from '../runtime/describe-issues.ts'
import { custom } from './checks.ts'

/** "Object tagging", S3 user guide. */
const maxTags = 10
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** `team=a&kind=export`, as in the query of a URL; comes out as S3 takes it. */
export const objectTags = z.string().transform((text, context) => {
  const pairs = [...new URLSearchParams(text)]
  const names = new Set(pairs.map(([name]) => name))
  const fine = pairs.every(
    ([name, value]) =>
      name !== '' && name.length <= 128 && value.length <= 256 && tagText.test(name + value),
  )
  return fine && pairs.length > 0 && pairs.length <= maxTags && names.size === pairs.length
    ? pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
    : custom(context, `expected one to ${maxTags} tags, name=value&name=value, got ${got(text)}`)
})

/** Objects of these have to be restored before anybody can read them: a link would lead nowhere. */
const frozen = ['GLACIER', 'DEEP_ARCHIVE']

/** Any other name: stores have classes of their own. */
export const storageClass = z.string().transform((text, context) => {
  if (frozen.includes(text)) {
    return custom(context, `expected a class whose objects can be read at once, got ${text}`)
  }
  return /^[A-Z0-9_-]{1,64}$/.test(text)
    ? text
    : custom(context, `expected a storage class, such as STANDARD_IA, got ${got(text)}`)
})

/** What no variable is alone to blame for. */
export function storeConflicts(
  given: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const { S3_ENCRYPTION = '', S3_KMS_KEY_ID } = given
  return S3_KMS_KEY_ID !== undefined && !S3_ENCRYPTION.startsWith('aws:kms')
    ? ['S3_KMS_KEY_ID: expected S3_ENCRYPTION=aws:kms or aws:kms:dsse beside it']
    : []
}
