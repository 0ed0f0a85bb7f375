/** The shapes of archives and their windows. */
import { z } from 'zod'
import { coverageStates, windowStates, windowUnits } from '../archive/model.ts'
import {
  artifactFields,
  count,
  errorSchema,
  linkFields,
  requestFields,
  time,
} from './field-schemas.ts'

const windowName = z
  .string()
  .describe(
    'As `GET /archives/{archive}/{window}` takes it: `2026-03-29`, `2026-03` or `20260329T010000Z`.',
  )

/** The state of one generation, and what became of its exports. */
const tryFields = {
  generation: count.describe('1, and one more for each time that the window was archived anew.'),
  tries: count.describe('How many exports it has led to.'),
  export_id: z
    .uuid()
    .optional()
    .describe('The latest of those; absent where the window was taken over.'),
  archived_at: time.optional(),
  retry_at: time.optional().describe('When it is planned again.'),
  error: errorSchema.optional().describe('Why the latest export failed.'),
}

/** Of a generation of a window that its archive keeps no longer. */
const deletionFields = {
  deleted_at: time.optional().describe('When retention deleted it.'),
  deleted_reason: z.string().optional().describe('Why: what the policy of the archive said.'),
  removed_at: time.optional().describe('When nothing of it was left in the bucket.'),
}

const holdSchema = z.object({
  id: z.int().positive(),
  archive: z.string(),
  from: z.string().describe('The first local date.'),
  to: z.string().optional().describe('The last one; absent: it has no end.'),
  reason: z.string(),
  placed_at: time,
})

const archiveSchema = z.object({
  name: z.string(),
  window: z.enum(windowUnits).describe('How long a window is.'),
  time_zone: z.string().describe('Whose days, hours or months.'),
  first: windowName,
  first_at: time.describe('Its start. A backfill may have filled earlier windows.'),
  settle_minutes: z
    .number()
    .nonnegative()
    .describe('A window that is over rests for so long before it is read.'),
  counts: z
    .object(
      Object.fromEntries(coverageStates.map((state) => [state, count])) as Record<
        (typeof coverageStates)[number],
        typeof count
      >,
    )
    .describe(
      'Windows that are over by now, by their state. `settling`: not to be read yet. `missing`: nobody has planned it. `deleted`: it was archived, and is kept no longer.',
    ),
  gaps: z
    .array(
      z.object({
        first: windowName,
        last: windowName,
        windows: count.describe('From the first to the last.'),
        time_from: time,
        time_to: time,
      }),
    )
    .describe(
      'The oldest 20 ranges of missing windows. There are more when they hold fewer than `counts.missing`.',
    ),
  failed: z
    .array(z.object({ window: windowName, time_from: time, time_to: time, ...tryFields }))
    .describe('The oldest 20 windows that failed, of `counts.failed`.'),
  holds: z
    .array(holdSchema)
    .describe('Ranges of dates of which nothing is deleted until they are released.'),
})

export const archiveListSchema = z.object({
  archives: z.array(archiveSchema).describe('All that were ever entered, by name.'),
})
export type ArchiveListView = z.output<typeof archiveListSchema>

export const archiveWindowSchema = z.object({
  archive: z.string(),
  window: windowName,
  unit: z.enum(windowUnits),
  time_zone: z.string(),
  date: z.string().describe('The local date on which it begins.'),
  time_from: time,
  time_to: time.describe('Not part of it.'),
  settled_at: time.describe('When it may be read, at the earliest.'),
  state: z
    .enum(coverageStates)
    .describe('That of its latest archived generation, else of its latest.'),
  generation: count
    .optional()
    .describe('That one; absent while the window is settling or missing.'),
  request: z
    .object(requestFields)
    .optional()
    .describe('What is exported of it, as it was when that one was planned.'),
  generations: z
    .array(z.object({ state: z.enum(windowStates), ...tryFields, ...deletionFields }))
    .describe('All of them, oldest first.'),
  snapshot_at: time.optional().describe('The instant that the artifact shows, by the manifest.'),
  artifact: z
    .object({ ...linkFields, ...artifactFields })
    .optional()
    .describe('Once archived, as the manifest says it.'),
  manifest: z.object(linkFields).optional().describe('Once archived: what says so.'),
})
export type ArchiveWindowView = z.output<typeof archiveWindowSchema>
