import * as buckets from './bucket-operations.ts'
import * as lists from './list-operations.ts'
import * as multipart from './multipart-operations.ts'
import * as objects from './object-operations.ts'
import type { Operation } from './operation.ts'
import { S3Error } from './s3-error.ts'
import type { Target } from './s3-request.ts'

/** What is addressed, the method, and the parameters that tell operations of one method apart. */
const routes: Readonly<Record<string, Operation>> = {
  'service GET': buckets.listBuckets,
  'bucket PUT': buckets.createBucket,
  'bucket HEAD': buckets.headBucket,
  'bucket DELETE': buckets.deleteBucket,
  'bucket GET': lists.listObjectsV1,
  'bucket GET list-type': lists.listObjectsV2,
  'bucket GET location': buckets.getBucketLocation,
  'bucket GET uploads': lists.listMultipartUploads,
  'bucket POST delete': buckets.deleteObjects,
  'object PUT': objects.putObject,
  'object PUT copy': objects.copyObject,
  'object GET': objects.getObject,
  'object GET partNumber': objects.getObject,
  'object HEAD': objects.getObject,
  'object HEAD partNumber': objects.getObject,
  'object DELETE': objects.deleteObject,
  'object POST uploads': multipart.createMultipartUpload,
  'object PUT partNumber uploadId': multipart.uploadPart,
  'object GET uploadId': multipart.listParts,
  'object POST uploadId': multipart.completeMultipartUpload,
  'object DELETE uploadId': multipart.abortMultipartUpload,
}

/** Parameters that do not choose an operation; any other one names something that this server lacks. */
const plainParameters =
  /^(x-amz-|response-|x-id$|prefix$|delimiter$|marker$|max-|start-after$|continuation-token$|encoding-type$|fetch-owner$|key-marker$|upload-id-marker$|part-number-marker$|bucket-region$)/i

export function operationFor({ method, bucket, key, query, headers }: Target): Operation {
  const level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object'
  const telling = [...new Set(query.keys())].filter((name) => !plainParameters.test(name)).sort()
  const copy = method === 'PUT' && telling.length === 0 && 'x-amz-copy-source' in headers
  const operation = routes[[level, method, ...(copy ? ['copy'] : telling)].join(' ')]
  if (operation !== undefined) return operation
  const known = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'].includes(method)
  throw new S3Error(known && telling.length > 0 ? 'NotImplemented' : 'MethodNotAllowed')
}
