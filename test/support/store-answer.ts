import { randomUUID } from 'node:crypto'
import type { StoreAnswer } from './fault.ts'

const answers: Readonly<Record<StoreAnswer, readonly [status: string, message: string]>> = {
  InternalError: [
    '500 Internal Server Error',
    'We encountered an internal error. Please try again.',
  ],
  ServiceUnavailable: ['503 Service Unavailable', 'Service is unable to handle request.'],
  SlowDown: ['503 Slow Down', 'Please reduce your request rate.'],
}

/**
 * The method, when a chunk from the client begins with a request line. Clients of HTTP/1.1 wait for the
 * answer before they send the next request, so that a request always begins a chunk.
 */
export const requestMethod = (chunk: Buffer): string | undefined =>
  /^([A-Z]{3,7}) \//.exec(chunk.subarray(0, 9).toString('latin1'))?.[1]

/** An answer as S3 words it, after which the connection is to be closed. */
export function storeAnswer(answer: StoreAnswer, method: string): string {
  const [status, message] = answers[answer]
  const id = randomUUID()
  const body =
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${answer}</Code>` +
    `<Message>${message}</Message><RequestId>${id}</RequestId></Error>`
  const head = [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/xml',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    `x-amz-request-id: ${id}`,
  ]
  // an answer to HEAD tells the length of a body that it has not
  return [...head, '', method === 'HEAD' ? '' : body].join('\r\n')
}
