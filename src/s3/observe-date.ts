import type { S3Client } from '@aws-sdk/client-s3'

/** What the SDK hands on of an answer. */
interface Answered {
  readonly response?: { readonly headers?: Readonly<Record<string, string>> }
}

/** Tells the time that the store says it is in each of its answers, refusals included. Its seconds are whole ones. */
export function observeDate(client: S3Client, onDate: (date: Date) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const said = (result as Answered).response?.headers?.['date']
      const date = new Date(said ?? NaN)
      if (!Number.isNaN(date.getTime())) onDate(date)
      return result
    },
    // the innermost: behind the SDK's own, which makes errors of refusals
    { step: 'deserialize', priority: 'low', name: 'observeDate' },
  )
}
