import { createHash } from 'node:crypto'
import { z } from 'zod'
import { eventFilters, stateFilters, type DatasetQuery } from '../datasets/dataset.ts'
import { findDataset } from '../datasets/registry.ts'
import { canCompress, compressions, zstdNeeds } from '../encode/compression.ts'
import { formats } from '../encode/format.ts'
import { SpecError } from '../errors.ts'
import { describeIssues, got } from '../runtime/describe-issues.ts'
import { compareInstants, instantForm, instantOf, parseInstant } from './instant.ts'
import type { ExportSpec, Instant } from './model.ts'

const instant = z
  .string({ error: `expected ${instantForm}` })
  .transform((text, context): Instant => {
    const result = parseInstant(text)
    if (result.ok) return result.instant
    context.addIssue({
      code: 'custom',
      message: `expected ${instantForm}, got ${got(text)}: ${result.problem}`,
    })
    return z.NEVER
  })

/** The body of `POST /exports`: names, defaults and meanings of domain.md section 2. */
export const exportRequest = z.strictObject({
  dataset: z.string().default('services').describe('Which kind of record to export.'),
  time_from: instant.describe('Start of the range, inclusive. RFC 3339 with an offset.'),
  time_to: instant
    .optional()
    .describe('End of the range, exclusive. Default: the moment the request is accepted.'),
  filter_events: z
    .enum(eventFilters)
    .default('any')
    .describe('Which event of the service must fall in the range.'),
  export_content: z.boolean().default(false).describe('false: ids. true: whole services.'),
  filter_state: z
    .enum(stateFilters)
    .default('any')
    .describe('State as of the snapshot; active and inactive need export_content=true.'),
  format: z
    .enum(formats)
    .default('json')
    .describe('json: one array. ndjson: each element on a line of its own.'),
  compression: z
    .enum(compressions)
    .default('none')
    .describe('Of the stored object; zstd where Node has it (22.15, 23.8 or newer).'),
})
/** A request as it was sent, checked, with defaults filled in but `time_to` still open. */
export type ExportRequest = z.output<typeof exportRequest>

/**
 * Checks one request, whole: every problem is named in one message, with what was expected and got.
 * @throws SpecError
 */
export function parseExportRequest(input: unknown): ExportRequest {
  const request = parse(exportRequest, input, compressionProblems(input))
  findDataset(request.dataset)
  return request
}

/** The parameters of the original operation, which knows services only, as an array, and stores nothing. */
export const streamParameters = exportRequest
  .omit({ dataset: true, format: true, compression: true })
  .extend({
    export_content: z
      .boolean({ error: 'expected true or false' })
      .default(false)
      .describe(exportRequest.shape.export_content.description ?? ''),
  })

/** A query string, parsed: a parameter that was given twice has an array. */
export type QueryParameters = Readonly<Record<string, string | readonly string[]>>

/**
 * Checks a request of the original operation, whose parameters come in the query string: a text
 * each, once each, booleans spelled out.
 * @throws SpecError
 */
export function parseStreamQuery(query: QueryParameters): ExportRequest {
  const entries = Object.entries(query)
  const repeated = entries
    .filter(
      ([name, value]) => Object.hasOwn(streamParameters.shape, name) && typeof value !== 'string',
    )
    .map(([name, value]) => `${name}: expected once, got it ${value.length} times`)
  const once = entries.map(([name, value]) => [
    name,
    typeof value === 'string' ? value : (value[0] ?? ''),
  ])
  const input = Object.fromEntries(once) as Record<string, unknown>
  const content = input['export_content']
  if (content === 'true' || content === 'false') input['export_content'] = content === 'true'
  const asked = parse(streamParameters, input, repeated)
  return { dataset: 'services', format: 'json', compression: 'none', ...asked }
}

/** @param problems that are known already */
function parse<Schema extends z.ZodObject>(
  schema: Schema,
  input: unknown,
  problems: readonly string[] = [],
): z.output<Schema> {
  const result = schema.safeParse(input)
  const known = Object.keys(schema.shape)
  const all = [
    ...problems,
    ...(result.success ? [] : describeIssues(result.error, input, { known })),
    ...combinationProblems(input),
  ]
  if (!result.success || all.length > 0) throw invalid(all)
  return result.data
}

/** Looks at the request as it was sent: it may have other problems besides. */
function combinationProblems(input: unknown): readonly string[] {
  const { filter_state: state, export_content: content } = (input ?? {}) as Record<string, unknown>
  if ((state !== 'active' && state !== 'inactive') || content === true) return []
  return [
    `filter_state: expected "any" unless export_content is true, got ${got(state)}: ` +
      'leaving it out silently would return a wrong set',
  ]
}

/** What another Node could do. */
function compressionProblems(input: unknown): readonly string[] {
  const { compression } = (input ?? {}) as Record<string, unknown>
  if (compression !== 'zstd' || canCompress(compression)) return []
  return [`compression: expected "none" or "gzip", got "zstd": ${zstdNeeds}`]
}

/**
 * Fills in what depends on the moment of acceptance.
 * @throws SpecError when the range is empty or reversed
 */
export function resolveSpec(request: ExportRequest, now: Date): ExportSpec {
  const from = request.time_from
  const to = request.time_to ?? instantOf(now)
  if (compareInstants(from, to) >= 0) {
    const end =
      request.time_to === undefined ? `now, ${to}, as time_to is absent` : `time_to, ${to}`
    throw invalid([`time_from: expected a time before ${end}, got ${got(from)}`])
  }
  return {
    dataset: request.dataset,
    range: { from, to },
    filterEvents: request.filter_events,
    exportContent: request.export_content,
    filterState: request.filter_state,
    format: request.format,
    compression: request.compression,
  }
}

/**
 * The statements whose rows are the export.
 * @throws SpecError when there is no such dataset
 */
export const queriesOf = ({
  dataset,
  range,
  filterEvents,
  filterState,
  exportContent,
}: ExportSpec): readonly DatasetQuery[] =>
  findDataset(dataset).queries({
    from: range.from,
    to: range.to,
    events: filterEvents,
    state: filterState,
    content: exportContent,
  })

/** Tells a repeated request from another one: equal for requests that mean the same. */
export function fingerprint({ format, compression, ...rest }: ExportRequest): string {
  // those that were stored before there was a choice know nothing of it
  const request = {
    ...rest,
    ...(format === 'json' ? {} : { format }),
    ...(compression === 'none' ? {} : { compression }),
  }
  // the parser gives the properties in the order of its schema
  return createHash('sha256').update(JSON.stringify(request)).digest('hex')
}

const invalid = (problems: readonly string[]) =>
  new SpecError('SPEC_INVALID', `${problems.join('; ')}.`)

/** Of the form of the elements of such an artifact. @throws SpecError when there is no such dataset */
export const schemaVersionOf = ({ dataset }: Pick<ExportSpec, 'dataset'>): number =>
  findDataset(dataset).schemaVersion

/** Tells the id of the record that an element of such an artifact is of. @throws SpecError when there is no such dataset */
export const identifierOf = ({ dataset }: Pick<ExportSpec, 'dataset'>) =>
  findDataset(dataset).identify
