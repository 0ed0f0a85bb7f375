import { z } from 'zod'
import { SpecError } from '../errors.ts'
import { exportRequest, parseExportRequest } from '../export/spec.ts'
import { describeIssues, got } from '../runtime/describe-issues.ts'
import { keepForEver, parseKeep, type KeepPolicy } from '../runtime/keep-text.ts'
import { isLocalDate, isTimeZone } from '../runtime/local-time.ts'
import { startOfDate } from './calendar.ts'
import { windowUnits, type ArchiveDefinition } from './model.ts'

/** What a definition may leave open. */
export interface DefinitionDefaults {
  readonly timeZone: string
  /** Local date of the first window. */
  readonly start: string | undefined
  readonly settleMinutes: number
  /** Default: for ever. */
  readonly keep?: KeepPolicy | undefined
}

const minuteMs = 60_000

/** An archive as a file defines it: what is exported of each window in the words of the API. */
const archiveEntry = ({ timeZone, start, settleMinutes, keep = keepForEver }: DefinitionDefaults) =>
  exportRequest.omit({ time_from: true, time_to: true }).extend({
    name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/i, {
      error: 'expected 1 to 63 letters, digits, - and _, beginning with a letter or digit',
    }),
    window: z.enum(windowUnits).default('day'),
    time_zone: z
      .string()
      .refine(isTimeZone, { error: 'expected a time zone, such as UTC or Europe/Berlin' })
      .default(timeZone),
    start: z
      .string()
      .refine(isLocalDate, { error: 'expected a date, such as 2025-01-01' })
      .optional()
      .transform((date) => date ?? start),
    settle_minutes: z.int().min(0).max(525_600).default(settleMinutes),
    keep: z
      .string()
      .transform((text, context) => {
        const parsed = parseKeep(text)
        if (!('problem' in parsed)) return parsed
        context.addIssue({ code: 'custom', message: parsed.problem })
        return z.NEVER
      })
      .optional()
      .transform((own) => own ?? keep),
    // by `any` a service that is completed on another day than it started would be in two windows
    filter_events: z.enum(['started', 'completed']).default('completed'),
    export_content: z.boolean().default(true),
    format: exportRequest.shape.format.unwrap().default('ndjson'),
    compression: exportRequest.shape.compression.unwrap().default('gzip'),
  })

export interface ParsedDefinitions {
  readonly definitions: readonly ArchiveDefinition[]
  /** Each names the archive. */
  readonly problems: readonly string[]
}

/** The archives of a file: a JSON array of objects, each of which has to have a name only. */
export function parseDefinitions(input: unknown, defaults: DefinitionDefaults): ParsedDefinitions {
  if (!Array.isArray(input) || input.length === 0) {
    return {
      definitions: [],
      problems: [`expected a JSON array of at least one archive, got ${got(input)}`],
    }
  }
  const parsed = input.map((entry: unknown, index) => parseEntry(entry, index, defaults))
  const problems = parsed.flatMap((each) => each.problems)
  const definitions = parsed.flatMap(({ definition }) => definition ?? [])
  const names = definitions.map(({ name }) => name)
  const twice = names.filter((name, index) => names.indexOf(name) < index)
  return {
    definitions,
    problems: [...problems, ...twice.map((name) => `${name}: expected a name of its own`)],
  }
}

/** All services that were completed on a day, with content, each as a line. */
export function builtInDefinition(defaults: DefinitionDefaults): ArchiveDefinition {
  const { definition } = parseEntry({ name: 'services' }, 0, defaults)
  if (definition === undefined) throw new RangeError('The archive that is built in is wrong.')
  return definition
}

interface ParsedEntry {
  readonly definition?: ArchiveDefinition
  readonly problems: readonly string[]
}

function parseEntry(input: unknown, index: number, defaults: DefinitionDefaults): ParsedEntry {
  const schema = archiveEntry(defaults)
  const result = schema.safeParse(input)
  const { name: given } = (input ?? {}) as { readonly name?: unknown }
  const where = typeof given === 'string' ? given : `archive ${index + 1}`
  if (!result.success) {
    const issues = describeIssues(result.error, input, { known: Object.keys(schema.shape) })
    return { problems: issues.map((issue) => `${where}: ${issue}`) }
  }
  const { name, window, time_zone, start, settle_minutes, keep, ...request } = result.data
  try {
    // what depends on each other, and on this Node, is refused now rather than at night
    parseExportRequest({ ...request, time_from: '2000-01-01T00:00:00Z' })
  } catch (error) {
    if (!(error instanceof SpecError)) throw error
    return { problems: [`${where}: ${error.message}`] }
  }
  return {
    problems: [],
    definition: {
      name,
      calendar: { unit: window, timeZone: time_zone },
      start: start === undefined ? undefined : startOfDate(start, time_zone),
      settleMs: settle_minutes * minuteMs,
      request,
      keep,
    },
  }
}
