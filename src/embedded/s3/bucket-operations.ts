import { owner, type Operation } from './operation.ts'
import { readDocument } from './payload.ts'
import { S3Error } from './s3-error.ts'
import { childText, parseXml, xmlDocument } from './xml.ts'
import { KiB, MiB } from '../../runtime/units.ts'

const maxDeletions = 1000

export const listBuckets: Operation = ({ store }) => {
  const buckets = store.buckets().sort((a, b) => (a.name < b.name ? -1 : 1))
  const Bucket = buckets.map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt }))
  return {
    status: 200,
    body: xmlDocument('ListAllMyBucketsResult', { Owner: owner, Buckets: { Bucket } }),
  }
}

export const createBucket: Operation = async ({ store }, request) => {
  // the location in the body makes no difference: there is one region
  if (Number(request.header('content-length') ?? 0) > 0) await readDocument(request, 64 * KiB)
  store.createBucket(request.bucket)
  return { status: 200, headers: { location: `/${request.bucket}` } }
}

export const headBucket: Operation = ({ store, region }, { bucket }) => {
  store.bucket(bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': region } }
}

export const deleteBucket: Operation = async ({ store }, { bucket }) => {
  await store.deleteBucket(bucket)
  return { status: 204 }
}

export const getBucketLocation: Operation = ({ store, region }, { bucket }) => {
  store.bucket(bucket)
  // the oldest region is told by an empty element
  const text = region === 'us-east-1' ? '' : region
  return { status: 200, body: xmlDocument('LocationConstraint', text) }
}

/** Deletes up to a thousand objects; each key has an answer of its own, and absent ones count as deleted. */
export const deleteObjects: Operation = async ({ store }, request) => {
  const { bucket } = request
  store.bucket(bucket)
  const root = parseXml(await readDocument(request, 4 * MiB))
  const keys = root.children
    .filter(({ name }) => name === 'Object')
    .map((object) => childText(object, 'Key') ?? '')
  if (root.name !== 'Delete' || keys.length === 0 || keys.length > maxDeletions) {
    throw new S3Error('MalformedXML')
  }
  if (keys.includes('')) throw new S3Error('MalformedXML')
  for (const key of keys) await store.deleteObject(bucket, key)
  const quiet = childText(root, 'Quiet')?.trim() === 'true'
  const Deleted = quiet ? [] : keys.map((Key) => ({ Key }))
  return { status: 200, body: xmlDocument('DeleteResult', { Deleted }) }
}
