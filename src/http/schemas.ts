/** The shapes of the API, as the OpenAPI document shows them and the tests check them. */
import { z } from 'zod'
import { attemptOutcomes, exportStates } from '../export/model.ts'
import { exportRequest } from '../export/spec.ts'
import { archiveListSchema, archiveWindowSchema } from './archive-schemas.ts'
import {
  artifactFields,
  count,
  errorSchema,
  linkFields,
  requestFields,
  time,
} from './field-schemas.ts'

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What happened, and to which value.'),
  code: z.string().describe('Stable; meant for programs.'),
  hint: z.string().optional().describe('What to do about it.'),
  state: z.enum(exportStates).optional().describe('State of the export that stood in the way.'),
})

export const exportSchema = z.object({
  id: z.uuid(),
  state: z.enum(exportStates),
  request: z
    .object({ ...requestFields, time_from: time, time_to: time })
    .describe('As accepted, with every default filled in.'),
  progress: z.object({
    rows: count,
    bytes: count.describe('Bytes of JSON, before any compression.'),
    estimated_rows: count.optional().describe("An estimate, by the planner's statistics."),
    eta_seconds: count
      .optional()
      .describe('An estimate of the time left, seconds; absent when unknown.'),
  }),
  held_back: z
    .literal(true)
    .optional()
    .describe(
      'Queued until another export of the same API key has ended: it runs as many as it may.',
    ),
  attempt: count.describe('0 until a worker has taken it.'),
  requested_by: z
    .string()
    .optional()
    .describe('Name of the API key that asked; absent where there are no keys.'),
  created_at: time,
  started_at: time.optional(),
  finished_at: time.optional(),
  snapshot_at: time.optional().describe('The instant that the artifact shows.'),
  error: errorSchema
    .optional()
    .describe('Why it failed; while queued or running, why the attempt before did.'),
  attempts: z
    .array(
      z.object({
        attempt: count,
        outcome: z
          .enum(attemptOutcomes)
          .describe('`lost`: its lease ended without a word from its worker.'),
        started_at: time,
        ended_at: time,
        rows: count,
        error: errorSchema.optional(),
      }),
    )
    .describe('Those that have ended, in their order.'),
  artifact: z
    .object({
      ...linkFields,
      ...artifactFields,
      expires_at: time.optional().describe('When the artifact is due to be deleted.'),
    })
    .optional()
    .describe('Once completed.'),
})
export type ExportView = z.output<typeof exportSchema>

export const exportListSchema = z.object({
  exports: z.array(exportSchema).describe('Newest first.'),
  next_cursor: z.string().nullable().describe('For the next page; null on the last one.'),
})

export const listQuery = z.strictObject({
  state: z.enum(exportStates).optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, { error: 'expected a whole number from 1 to 100' })
    .transform(Number)
    .default(20)
    .meta({ type: 'integer', minimum: 1, maximum: 100 }),
  cursor: z.string().optional(),
})

export const readinessSchema = z.object({
  status: z.enum(['ready', 'not ready', 'starting', 'stopping']),
  parts: z
    .record(z.string(), z.enum(['ok', 'failed', 'timed out']))
    .optional()
    .describe('Each part that is needed, by its name; absent while starting.'),
  details: z
    .record(
      z.string(),
      z.object({ status: z.enum(['ok', 'alarm', 'unknown']), message: z.string().optional() }),
    )
    .optional()
    .describe(
      'What somebody may have to look after, though the work goes on: `archives` of a worker that keeps them.',
    ),
})

/** A schema as OpenAPI 3.1 has it, which is JSON Schema. */
export const jsonSchema = (schema: z.ZodType, io: 'input' | 'output' = 'output') => {
  const document: Record<string, unknown> = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  // the dialect is that of the whole OpenAPI document
  delete document['$schema']
  return document
}

/** What several routes answer or take, by name. */
export const sharedSchemas = [
  { $id: 'ExportRequest', ...jsonSchema(exportRequest, 'input') },
  { $id: 'Export', ...jsonSchema(exportSchema) },
  { $id: 'ExportList', ...jsonSchema(exportListSchema) },
  { $id: 'ArchiveList', ...jsonSchema(archiveListSchema) },
  { $id: 'ArchiveWindow', ...jsonSchema(archiveWindowSchema) },
  { $id: 'Problem', ...jsonSchema(problemSchema) },
]

type SharedName =
  'ExportRequest' | 'Export' | 'ExportList' | 'ArchiveList' | 'ArchiveWindow' | 'Problem'

export const reference = (name: SharedName) => ({ $ref: `${name}#` })

/** An answer with a JSON body. */
export const answers = (description: string, name: SharedName) => ({
  description,
  content: { 'application/json': { schema: reference(name) } },
})

/** An answer without a body. */
export const answersNothing = (description: string) => ({ description, type: 'null' })

const problemMeanings = {
  400: 'The request is wrong: `detail` names the parameter, what was expected and what was got.',
  401: 'There is no API key, or none that this server knows.',
  403: 'The API key may not do this.',
  404: 'There is no such export, archive or window; or the export is not that of this key.',
  409: "The export's state does not allow it.",
  410: 'There is no artifact, and there will be none: failed, canceled or expired.',
  413: 'The body is larger than 64 KiB.',
  415: 'The body is not JSON.',
  422: 'The idempotency key was used for another request.',
  429: 'The API key asks too often; try again after Retry-After.',
  500: 'An unexpected error, or one that needs the operator.',
  503: 'The database, the queue or the object store cannot be reached now; try again.',
} as const

const ofAnyRoute = [401, 403, 429, 500, 503] as const

/** The problems of a route, besides those that any route may answer. */
export const problems = (...statuses: (keyof typeof problemMeanings)[]) =>
  Object.fromEntries(
    [...statuses, ...ofAnyRoute].map((status) => [
      status,
      {
        description: problemMeanings[status],
        content: { 'application/problem+json': { schema: reference('Problem') } },
      },
    ]),
  )
