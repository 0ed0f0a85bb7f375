/**
 * The words of this project, as types. They mean the same in code, logs, documents and the API.
 *
 * - **export**: one requested extraction and its record. The record is the truth.
 * - **spec**: the validated, canonical request.
 * - **range**: `[from, to)`, UTC, half open.
 * - **job**: the BullMQ entry that carries an export's id, and nothing else.
 * - **attempt**: one run of an export; grows with every claim, fences updates, and names the object key.
 * - **snapshot**: the repeatable-read view that an export reads.
 * - **segment**: a part of a range, read by one connection. **reader**: a connection that reads segments.
 * - **batch**: rows from one read of a cursor. **block**: rendered rows that come together. **chunk**: bytes
 *   from the encoder. **part**: a numbered piece of a multipart upload. **upload**: one multipart upload.
 * - **artifact**: the finished object and its facts. **link**: a signed URL with an end.
 * - **archive**: a scheduled export of a closed window of the calendar, kept for ever. **generation**: which one of its window.
 */
import type { EventFilter, StateFilter } from '../datasets/dataset.ts'
import type { Compression } from '../encode/compression.ts'
import type { Format } from '../encode/format.ts'
import type { ErrorFacts } from '../errors.ts'

export const exportStates = [
  'queued',
  'running',
  'completed',
  'failed',
  'canceled',
  'expired',
] as const
export type ExportState = (typeof exportStates)[number]

/** Exports that have not finished, by what they wait for. */
export const unfinishedStates = ['queued', 'held_back', 'running'] as const
export interface UnfinishedCount {
  readonly dataset: string
  readonly state: (typeof unfinishedStates)[number]
  readonly count: number
  /** Since the oldest of them was requested. */
  readonly oldestSeconds: number
}

/**
 * A point in time, RFC 3339 in UTC with `Z`: three fraction digits, or six when the microseconds are
 * not whole milliseconds. A string, because JavaScript's Date would lose the microseconds.
 */
export type Instant = string & { readonly brand: 'Instant' }

/** `[from, to)`: half open, so that adjacent ranges tile. */
export interface Range {
  readonly from: Instant
  readonly to: Instant
}

/** What to export, with every default filled in. */
export interface ExportSpec {
  readonly dataset: string
  readonly range: Range
  /** Which of a record's events must fall in the range. */
  readonly filterEvents: EventFilter
  /** False: ids only. True: whole documents. */
  readonly exportContent: boolean
  /** State as of the snapshot; anything but `any` needs `exportContent`. */
  readonly filterState: StateFilter
  /** How the artifact is laid out, and how it is packed. */
  readonly format: Format
  readonly compression: Compression
}

/** Where the artifact of an archived window belongs; one with a place is kept until its archive lets it go. */
export interface ArchivePlace {
  /** Name of the archive. */
  readonly name: string
  /** The local date on which the window begins, `2026-03-29`: its partition. */
  readonly date: string
  /** 1, and one more for each time that the window was archived anew. */
  readonly generation: number
  /** A standby is read only when it has replayed up to then; absent in records of older versions. */
  readonly settledAt?: string
}

/** A request that was accepted, before it has a record. */
export interface NewExport {
  readonly id: string
  readonly spec: ExportSpec
  readonly archive?: ArchivePlace | undefined
  readonly createdAt: Date
  /** Name of the API key that asked. */
  readonly requestedBy?: string
  /** The client's own name for this request; the same name of the same client never makes two exports. */
  readonly idempotencyKey?: string
  /** Digest of the request as it was sent: tells a repeated request from another one. */
  readonly fingerprint: string
  /** Of the span that asked, where that is traced. */
  readonly traceparent?: string | undefined
}

export interface Progress {
  readonly rows: number
  /** Bytes of JSON so far, before any compression. */
  readonly bytes: number
  /** By the planner's statistics; absent when unknown. */
  readonly estimatedRows?: number
}

export interface Artifact {
  readonly key: string
  /** Of the stored object. */
  readonly bytes: number
  readonly rows: number
  /** Lower-case hex, of the stored bytes. */
  readonly sha256: string
  readonly etag: string
  readonly contentType: string
  /** Of the JSON, where the object is packed. */
  readonly rawBytes?: number
  readonly rawSha256?: string
}

/** Of the JSON, which is the object itself where nothing is packed. */
export const rawBytes = ({ bytes, rawBytes = bytes }: Artifact): number => rawBytes

/** How an attempt can end. `lost`: its lease ended without a word from its worker. */
export const attemptOutcomes = ['completed', 'failed', 'canceled', 'interrupted', 'lost'] as const

/** An attempt that has ended; the times are by the control database's clock. */
export interface PastAttempt {
  readonly attempt: number
  readonly outcome: (typeof attemptOutcomes)[number]
  readonly startedAt: Date
  readonly endedAt: Date
  /** Rows read; of one that reported no end, those of its last report. */
  readonly rows: number
  readonly error?: ErrorFacts
}

/** A server that replays what its primary has committed. */
export interface Standby {
  /** What was committed before is seen; undefined where it does not say. An idle primary commits nothing, so that this stands still. */
  readonly replayedAt: Date | undefined
}

/** One export, as the control database knows it. */
export interface ExportRecord {
  readonly id: string
  readonly spec: ExportSpec
  /** Absent for what somebody asked for. */
  readonly archive?: ArchivePlace
  readonly state: ExportState
  /** 0 until the first claim. */
  readonly attempt: number
  /** Attempts that ended by error or lost lease without getting further than an earlier one. */
  readonly failures: number
  /** The most rows that any ended attempt had read: progress beyond it is not a failure. */
  readonly highestRows: number
  /** How often this export was put on the queue: part of the job's id. */
  readonly dispatch: number
  /** Its key runs as many as it may: it is queued, but has no job until it is its turn. */
  readonly heldBack?: true
  readonly progress: Progress
  /** Name of the API key that asked; absent where there are no keys. */
  readonly requestedBy?: string
  /** Of the span that asked (W3C Trace Context): whatever is done for the export joins its trace. */
  readonly traceparent?: string
  readonly createdAt: Date
  readonly startedAt?: Date
  /** When the latest attempt began, and when it last reported; by one clock. */
  readonly attemptAt?: Date
  readonly progressAt?: Date
  readonly finishedAt?: Date
  /** Until when the running attempt may write without renewing its lease. */
  readonly leaseUntil?: Date
  /** The instant that the artifact, or the running attempt, shows. */
  readonly snapshotAt?: Date
  /** What the primary of a standby had committed before is in the snapshot; absent where a primary was read. */
  readonly replayedAt?: Date
  readonly error?: ErrorFacts
  /** Every attempt that has ended, in their order. */
  readonly history: readonly PastAttempt[]
  readonly artifact?: Artifact
  /** When the artifact is due to be deleted; what is archived is not. */
  readonly expiresAt?: Date
}

/** The right to write to a running export: held by one attempt at a time. */
export interface Claim {
  readonly id: string
  readonly attempt: number
}
