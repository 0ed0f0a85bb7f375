/**
 * One class for each party that must act, codes finer than classes. Adapters translate at their edge
 * and keep `cause`; nobody above reads a driver's fields. Exactly three places turn an error into an
 * outcome: `queue/worker.ts` (job), `http/problem.ts` (status), `cli/main.ts` (exit code).
 */
export interface ErrorDetails {
  /** What the person who reads the error can do about it: one imperative sentence. */
  readonly hint?: string | undefined
  readonly cause?: unknown
}

export abstract class ExportError extends Error {
  abstract override readonly name: string
  /** Stable, in SCREAMING_SNAKE_CASE; part of the outward interface. */
  readonly code: string
  /** True when the same work may succeed later without anybody changing anything. */
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: string, message: string, retryable: boolean, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retryable = retryable
    this.hint = details.hint
  }
}

/** The environment is wrong: every problem is listed in one message. */
export class ConfigError extends ExportError {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      'CONFIG_INVALID',
      `The configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n` +
        problems.map((problem) => `  - ${problem}`).join('\n'),
      false,
      {
        hint: 'Set the variables named above in the environment or in a .env file, and start again.',
      },
    )
    this.problems = problems
  }
}

/** The request is wrong; whoever wrote it must change it. */
export class SpecError extends ExportError {
  override readonly name = 'SpecError'
  constructor(
    code:
      | 'SPEC_INVALID'
      | 'SPEC_UNKNOWN_DATASET'
      | 'IDEMPOTENCY_KEY_REUSED'
      | 'ARCHIVE_UNKNOWN'
      | 'WINDOW_UNKNOWN'
      | 'HOLD_UNKNOWN',
    message: string,
    details: ErrorDetails = {},
  ) {
    super(code, message, false, details)
  }
}

/** No export has this id. */
export class NotFoundError extends ExportError {
  override readonly name = 'NotFoundError'
  constructor(id: string, details: ErrorDetails = {}) {
    super('EXPORT_NOT_FOUND', `There is no export ${JSON.stringify(id)}.`, false, {
      hint: 'Check the id: `longhaul list` or GET /exports shows the known ones.',
      ...details,
    })
  }
}

/** The export exists, but its state does not allow what was asked. */
export class StateError extends ExportError {
  override readonly name = 'StateError'
  /** The state that stood in the way. */
  readonly state: string
  constructor(
    code:
      | 'EXPORT_NOT_READY'
      | 'EXPORT_GONE'
      | 'EXPORT_EXPIRED'
      | 'EXPORT_FINISHED'
      | 'EXPORT_ARCHIVED'
      | 'ARCHIVE_CALENDAR'
      | 'ARCHIVE_NOT_REPLACED',
    message: string,
    state: string,
    details: ErrorDetails = {},
  ) {
    super(code, message, false, details)
    this.state = state
  }
}

/** PostgreSQL: the source that is read, or the control database. */
export class SourceError extends ExportError {
  override readonly name = 'SourceError'
  constructor(
    code: `SOURCE_${'UNAVAILABLE' | 'TIMEOUT' | 'CONFLICT' | 'BEHIND' | 'QUERY_FAILED'}`,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(code, message, code !== 'SOURCE_QUERY_FAILED', details)
  }
}

/** A record holds a value that the output cannot represent; the message names the record. */
export class EncodeError extends ExportError {
  override readonly name = 'EncodeError'
  constructor(message: string, details: ErrorDetails = {}) {
    super('ENCODE_UNSUPPORTED_VALUE', message, false, details)
  }
}

/** The object store. */
export class StoreError extends ExportError {
  override readonly name = 'StoreError'
  constructor(
    code:
      | 'STORE_UNAVAILABLE'
      | 'STORE_SLOW_DOWN'
      | 'STORE_DENIED'
      | 'STORE_NO_BUCKET'
      | 'STORE_TOO_LARGE'
      | 'STORE_REJECTED'
      | 'ARCHIVE_CORRUPT',
    message: string,
    details: ErrorDetails = {},
  ) {
    super(code, message, code === 'STORE_UNAVAILABLE' || code === 'STORE_SLOW_DOWN', details)
  }
}

/** The queue cannot be reached; the record stays. Not retryable: it refuses user or password. */
export class QueueError extends ExportError {
  override readonly name = 'QueueError'
  constructor(message: string, details: ErrorDetails & { readonly retryable?: boolean } = {}) {
    super('QUEUE_UNAVAILABLE', message, details.retryable ?? true, details)
  }
}

/** Whoever is to be told of an alarm was not reached, or does not want to hear it. Ends a job, never a command or a request. */
export class AlertError extends ExportError {
  override readonly name = 'AlertError'
  constructor(message: string, details: ErrorDetails & { readonly retryable: boolean }) {
    super('ALERT_NOT_DELIVERED', message, details.retryable, details)
  }
}

/** Whoever asked has no key, or none that may do this. */
export class AccessError extends ExportError {
  override readonly name = 'AccessError'
  constructor(code: 'UNAUTHENTICATED' | 'FORBIDDEN', message: string, details: ErrorDetails = {}) {
    super(code, message, false, details)
  }
}

/** This server does as much, or this key asks as often, as it may; whoever asked comes again, or asks in another way. */
export class BusyError extends ExportError {
  override readonly name = 'BusyError'
  constructor(code: 'STREAMS_BUSY' | 'RATE_LIMITED', message: string, details: ErrorDetails = {}) {
    super(code, message, true, details)
  }
}

/** The reason of an abort signal: somebody canceled the export. */
export class CanceledError extends ExportError {
  override readonly name = 'CanceledError'
  constructor(id: string) {
    super('EXPORT_CANCELED', `Export ${id} was canceled.`, false)
  }
}

/** The reason of an abort signal: this process stops, or lost its lease. The export goes on elsewhere. */
export class InterruptedError extends ExportError {
  override readonly name = 'InterruptedError'
  constructor(message: string, details: ErrorDetails = {}) {
    super('EXPORT_INTERRUPTED', message, true, details)
  }
}

/** Given up: attempt after attempt ended without a word, or all of them together took too long. */
export class AbandonedError extends ExportError {
  override readonly name = 'AbandonedError'
  constructor(message: string, details: ErrorDetails = {}) {
    super('EXPORT_ABANDONED', message, false, {
      hint: 'Look why workers died, such as by lack of memory; then request the export again.',
      ...details,
    })
  }
}

export interface ClientErrorDetails extends ErrorDetails {
  readonly retryable?: boolean
  /** How long the server asked to wait before the next try, ms. */
  readonly retryAfterMs?: number | undefined
}

/** What a client of the HTTP interface met: the server's own problem, or no server at all. */
export class ClientError extends ExportError {
  override readonly name = 'ClientError'
  readonly retryAfterMs: number | undefined
  constructor(code: string, message: string, details: ClientErrorDetails = {}) {
    super(code, message, details.retryable ?? false, details)
    this.retryAfterMs = details.retryAfterMs
  }
}

/** A part of the embedded stack could not be started; whoever runs it must act. */
export class StackError extends ExportError {
  override readonly name = 'StackError'
  constructor(message: string, details: ErrorDetails = {}) {
    super('STACK_FAILED', message, false, details)
  }
}

/** What went wrong, as it is kept on a record and shown to its owner. Never holds a secret. */
export interface ErrorFacts {
  readonly code: string
  readonly message: string
  readonly hint?: string
  readonly retryable: boolean
}

/** What others said may hold what no text of PostgreSQL can: NUL, and halves of surrogate pairs. */
const storable = (text: string) => text.replaceAll('\0', '\ufffd').toWellFormed()

/** Any thrown value as facts; an unknown one is a bug, and shows as `INTERNAL` without its text. */
export function errorFacts(error: unknown): ErrorFacts {
  if (error instanceof ExportError) {
    const { code, hint, retryable } = error
    return {
      code,
      message: storable(error.message),
      retryable,
      ...(hint === undefined ? {} : { hint }),
    }
  }
  return {
    code: 'INTERNAL',
    message: 'An unexpected error ended this attempt.',
    hint: "Look for this export's id in the worker's log, which has the details.",
    retryable: true,
  }
}
