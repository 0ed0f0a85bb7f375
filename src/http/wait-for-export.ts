import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { SpecError } from '../errors.ts'
import type { ExportRecord } from '../export/model.ts'
import type { ExportRecords } from '../export/ports.ts'
import { isFinished } from '../export/state.ts'
import type { ExportWatch } from '../export/watch-exports.ts'
import { describeIssues } from '../runtime/describe-issues.ts'
import { digestOf, heldDigests } from './export-tag.ts'
import { viewExport } from './export-view.ts'
import type { Lifetime } from './lifetime.ts'

const longestSeconds = 60

export const waitQuery = z.strictObject({
  wait: z
    .string({ error: 'expected once' })
    .regex(/^([0-9]|[1-5][0-9]|60)$/, {
      error: `expected a whole number of seconds, at most ${longestSeconds}`,
    })
    .transform(Number)
    .default(0)
    .meta({ type: 'integer', minimum: 0, maximum: longestSeconds })
    .describe(
      'Answer only when the export has finished, or after so many seconds. ' +
        'With If-None-Match: as soon as anything has changed.',
    ),
})

/** @throws SpecError */
export function parseWait(query: unknown): number {
  const result = waitQuery.safeParse(query)
  if (result.success) return result.data.wait
  const issues = describeIssues(result.error, query, { known: Object.keys(waitQuery.shape) })
  throw new SpecError('SPEC_INVALID', `${issues.join('; ')}.`)
}

export interface WaitDeps {
  readonly records: Pick<ExportRecords, 'get'>
  readonly watch: ExportWatch
}

export interface WaitOptions {
  readonly seconds: number
  /** Its client may leave meanwhile. */
  readonly request: FastifyRequest
  readonly lifetime: Lifetime
  /** Also wake up for less than the end: see `wait`. */
  readonly ifNoneMatch?: string | undefined
}

/**
 * The export, at once or as soon as it has finished, but no later than in `seconds`, or when the
 * client leaves or the server is stopped.
 * @throws NotFoundError, SourceError
 */
export async function waitForExport(
  { records, watch }: WaitDeps,
  id: string,
  { seconds, request, lifetime, ifNoneMatch }: WaitOptions,
): Promise<ExportRecord> {
  // the most frequent question there is: nothing is prepared for a wait that it does not want
  if (seconds === 0) return records.get(id)
  const { socket } = request.raw
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  // not AbortSignal.any: on a signal that lives as long as the server it would leave something behind
  lifetime.stopping.addEventListener('abort', giveUp, { once: true })
  socket.once('close', giveUp)
  const limit = setTimeout(giveUp, seconds * 1000)
  try {
    const record = await records.get(id)
    const held = heldDigests(ifNoneMatch)
    const enough = (seen: ExportRecord) =>
      isFinished(seen.state) ||
      (ifNoneMatch !== undefined && !held.includes(digestOf(viewExport(seen))))
    const over = lifetime.stopping.aborted || socket.destroyed
    return over ? record : await watch.until(record, enough, { signal: patience.signal })
  } finally {
    clearTimeout(limit)
    socket.off('close', giveUp)
    lifetime.stopping.removeEventListener('abort', giveUp)
  }
}
