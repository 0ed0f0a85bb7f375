import { ExportError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'

/** Where a command writes: results to stdout, everything about the way there to stderr. */
export interface Output {
  /** True when stdout gets one JSON document and nothing else. */
  readonly json: boolean
  /** The result: as JSON, or as lines for a person. */
  result(value: unknown, lines: readonly string[]): void
  /** Something on the way, for a person; silent with --json. */
  note(line: string): void
}

export const createOutput = ({ json }: { readonly json: boolean }): Output => ({
  json,
  result(value, lines) {
    const text = json ? JSON.stringify(value, null, 2) : lines.join('\n')
    process.stdout.write(`${text}\n`)
  },
  note(line) {
    if (!json) process.stderr.write(`${line}\n`)
  },
})

const number = new Intl.NumberFormat('en-US')
export const formatCount = (value: number): string => number.format(value)

/** Decimal units, as download tools and object stores show them. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`
}

export function formatDuration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  const minutes = Math.floor(ms / 60_000)
  return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** One export for a person. */
export function describeExport(view: ExportView): readonly string[] {
  const { request, progress, artifact, error, attempts } = view
  const filters = `events ${request.filter_events}, state ${request.filter_state}, ${
    request.export_content ? 'with content' : 'ids only'
  }`
  return [
    `export    ${view.id}`,
    `state     ${view.state}${view.attempt > 1 ? ` (attempt ${view.attempt})` : ''}`,
    ...(view.held_back
      ? ['          held back until another export of its API key has ended']
      : []),
    `range     ${request.time_from} to ${request.time_to}`,
    `filters   ${filters}`,
    `progress  ${formatCount(progress.rows)} rows, ${formatBytes(progress.bytes)}`,
    ...(view.snapshot_at === undefined ? [] : [`snapshot  ${view.snapshot_at}`]),
    ...(artifact === undefined
      ? []
      : [
          `size      ${describeSize(artifact, request.compression)}`,
          `sha256    ${artifact.sha256}`,
          `link      ${artifact.url}`,
        ]),
    ...(error === undefined ? [] : [`error     ${error.message} [${error.code}]`]),
    ...(error?.hint === undefined ? [] : [`          ${error.hint}`]),
    ...(view.attempt > 1 ? attempts.map(describeAttempt) : []),
  ]
}

type ArtifactView = NonNullable<ExportView['artifact']>

const describeSize = ({ bytes, raw_bytes: rawBytes }: ArtifactView, compression: string) =>
  compression === 'none'
    ? formatBytes(bytes)
    : `${formatBytes(bytes)} (${compression}; ${formatBytes(rawBytes)} unpacked)`

type AttemptView = ExportView['attempts'][number]

const describeAttempt = ({ attempt, outcome, ended_at, rows, error }: AttemptView) =>
  `attempt ${attempt}`.padEnd(10) +
  `${outcome} at ${ended_at}, ${formatCount(rows)} rows${error === undefined ? '' : ` [${error.code}]`}`

/** An error for a person: what happened, then what to do. */
export function describeError(error: unknown): string {
  if (error instanceof ExportError) {
    return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`
  }
  return `An unexpected error happened; please report it.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
}
