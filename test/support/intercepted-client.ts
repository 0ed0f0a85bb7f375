import type { S3Client } from '@aws-sdk/client-s3'

interface SendOptions {
  readonly abortSignal?: AbortSignal
}

/** An answer in place of the store's; undefined lets the request through. */
export type Intercept = (command: unknown, options: SendOptions) => Promise<unknown> | undefined

/** A view of the client of which some requests never reach the store. */
export function interceptedClient(client: S3Client, intercept: Intercept): S3Client {
  const through = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>
  const send = (command: unknown, options: SendOptions = {}) =>
    intercept(command, options) ?? through(command, options)
  return Object.assign(Object.create(client) as S3Client, { send })
}
