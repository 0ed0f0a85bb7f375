import { ExportError } from '../errors.ts'

/** By code, where a code has an exit code of its own; else by class. `longhaul --help` prints them. */
const byCode: Readonly<Record<string, number>> = {
  SPEC_INVALID: 64,
  SPEC_UNKNOWN_DATASET: 64,
  IDEMPOTENCY_KEY_REUSED: 64,
  EXPORT_NOT_FOUND: 10,
  ARCHIVE_UNKNOWN: 10,
  WINDOW_UNKNOWN: 10,
  HOLD_UNKNOWN: 10,
  EXPORT_NOT_READY: 11,
  EXPORT_GONE: 11,
  EXPORT_EXPIRED: 11,
  EXPORT_FINISHED: 11,
  EXPORT_ARCHIVED: 11,
  EXPORT_CANCELED: 12,
  SOURCE_UNAVAILABLE: 20,
  SOURCE_TIMEOUT: 20,
  SOURCE_CONFLICT: 20,
  SOURCE_BEHIND: 20,
  SOURCE_QUERY_FAILED: 20,
  ENCODE_UNSUPPORTED_VALUE: 21,
  STORE_UNAVAILABLE: 22,
  STORE_SLOW_DOWN: 22,
  STORE_DENIED: 22,
  STORE_NO_BUCKET: 22,
  STORE_TOO_LARGE: 22,
  STORE_REJECTED: 22,
  ARCHIVE_CORRUPT: 22,
  QUEUE_UNAVAILABLE: 23,
  SERVER_UNAVAILABLE: 69,
  RATE_LIMITED: 69,
  UNAUTHENTICATED: 77,
  FORBIDDEN: 77,
  DOWNLOAD_FAILED: 74,
  DOWNLOAD_CORRUPT: 74,
  DISK_FULL: 74,
  FILE_NOT_WRITABLE: 74,
  STACK_FAILED: 70,
  CONFIG_INVALID: 78,
  ARCHIVE_CALENDAR: 78,
  EXPORT_ABANDONED: 70,
  EXPORT_INTERRUPTED: 130,
}

/** An unknown error is a bug: 70, EX_SOFTWARE of sysexits.h. */
export const exitCodeOf = (error: unknown): number =>
  (error instanceof ExportError ? byCode[error.code] : undefined) ?? 70

/** Of a command that has done what it is for; what it found is its result, no error. */
export const foundProblem = 1

export const exitCodeHelp = `
Exit codes:
  0   done
  1   doctor found a problem, verify or archive check a difference, or windows of an archive failed or
      could not be deleted
  10  no such export, archive, window of one, or hold
  11  the export's state does not allow it
  12  the export was canceled
  20  PostgreSQL: not reachable, or the query failed
  21  a record cannot be exported; the message names it
  22  the object store
  23  the queue
  64  wrong request or command line
  69  no server at LONGHAUL_URL, or it is asked too often
  70  an unexpected error
  74  the download could not be received or written
  77  the API key is missing, unknown, or may not do this
  78  wrong configuration
  130 interrupted`
