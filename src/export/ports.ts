/** What the use cases need from the outside, no more. Adapters implement these; tests double them. */
import type { DatasetQuery } from '../datasets/dataset.ts'
import type { ErrorFacts } from '../errors.ts'
import type {
  Artifact,
  Claim,
  ExportRecord,
  ExportState,
  NewExport,
  Standby,
  UnfinishedCount,
} from './model.ts'

export interface CreatedExport {
  readonly record: ExportRecord
  /** False: it was there. */
  readonly created: boolean
  /** Of the record. */
  readonly fingerprint: string
}

export interface ListQuery {
  /** Only what this API key asked for. */
  readonly requestedBy?: string
  readonly state?: ExportState
  readonly limit: number
  /** `nextCursor` of the page before. */
  readonly cursor?: string
}

export interface ExportPage {
  readonly exports: readonly ExportRecord[]
  readonly nextCursor?: string
}

/** The records of all exports. Every change is one guarded update; see `state.ts` for what may follow what. */
export interface ExportRecords {
  /** Inserts, or returns the record that already has this idempotency key, with its fingerprint. */
  create(draft: NewExport): Promise<CreatedExport>
  /** @throws NotFoundError */
  get(id: string): Promise<ExportRecord>
  /** Those that exist, in any order. */
  getMany(ids: readonly string[]): Promise<readonly ExportRecord[]>
  /** Newest first. @throws SpecError when the cursor is not one of ours */
  list(query: ListQuery): Promise<ExportPage>
  /**
   * Takes a queued export, or a running one whose lease has ended, for a new attempt.
   * Undefined when it is neither, and when its key runs as many as it may: then it is held back. @throws NotFoundError
   */
  claim(id: string, options: ClaimOptions): Promise<ExportRecord | undefined>
  /** Writes progress and renews the lease. False when the claim is no longer held. */
  progress(claim: Claim, report: ProgressReport): Promise<boolean>
  /** False when the claim is no longer held: then nothing was written. */
  complete(claim: Claim, artifact: Artifact, times: CompletionTimes): Promise<boolean>
  /** Ends the attempt by an error; `again` requeues the export, else it has failed. False: claim lost. */
  fail(claim: Claim, failure: AttemptFailure): Promise<boolean>
  /** Gives a claim back without counting a failure. False: claim lost. */
  release(claim: Claim): Promise<boolean>
  /** Cancels a queued or running export. Undefined when it is neither. @throws NotFoundError */
  cancel(id: string, at: Date): Promise<ExportRecord | undefined>
  /**
   * Counts one more dispatch of exports of a key that are held back, the oldest first, as many as it may
   * now run; from then on they are queued like others.
   */
  admit(requestedBy: string, options: AdmitQuery): Promise<readonly Dispatched[]>
  /** Names of the keys of which exports are held back. */
  keysHeldBack(): Promise<readonly string[]>
  /**
   * Exports that nobody runs: queued and not held back, or running with a lease that has ended; created
   * before `before`, oldest first.
   */
  listUnattended(query: UnattendedQuery): Promise<readonly ExportRecord[]>
  /**
   * Counts one more dispatch of an export that has not finished. Undefined when it has, or when its
   * dispatch number is another already. @throws NotFoundError
   */
  redispatch(id: string, dispatch: number): Promise<ExportRecord | undefined>
  /** How many have not finished; those of which there are none are left out. */
  countUnfinished(): Promise<readonly UnfinishedCount[]>
  /** Completed exports whose artifact's time is over, the longest first. */
  listDue(query: { readonly limit: number }): Promise<readonly ExportRecord[]>
  /** Turns a completed export into an expired one. Undefined when it is not completed. @throws NotFoundError */
  expire(id: string, at: Date): Promise<ExportRecord | undefined>
  /** The artifact of a completed export was moved within the store. False: it is not what lies under `from`. */
  relocate(id: string, from: string, to: Pick<StoredObject, 'key' | 'etag'>): Promise<boolean>
}

/** The last export that was seen. */
export interface UnattendedCursor {
  readonly createdAt: Date
  readonly id: string
}

export interface UnattendedQuery {
  readonly before: Date
  readonly limit: number
  readonly after: UnattendedCursor | undefined
}

export interface ClaimOptions {
  readonly leaseMs: number
  /** Exports of one key that may run at once. Default: any number. */
  readonly perKey?: number | undefined
}

export interface AdmitQuery {
  /** As of a claim. */
  readonly perKey: number | undefined
  readonly limit: number
}

/** An export and the number of its dispatch. */
export type Dispatched = Pick<ExportRecord, 'id' | 'dispatch' | 'archive' | 'traceparent'>

export interface AttemptFailure {
  readonly error: ErrorFacts
  readonly again: boolean
  /** Of the export, this attempt included. */
  readonly failures: number
  /** Rows this attempt had read. */
  readonly rows: number
  readonly at: Date
}

export interface ProgressReport {
  readonly rows: number
  readonly bytes: number
  readonly estimatedRows?: number | undefined
  readonly snapshotAt?: Date | undefined
  readonly leaseMs: number
}

export interface CompletionTimes {
  readonly finishedAt: Date
  /** Undefined: never by itself. */
  readonly expiresAt: Date | undefined
  readonly snapshotAt: Date
  readonly replayedAt?: Date | undefined
}

/**
 * `waiting`: a worker will take it, now or later. `taken`: a worker has it, though it may have died since.
 * `gone`: it is over, or was lost.
 */
export type DispatchedJob = 'waiting' | 'taken' | 'gone'

/** Wakes a worker for an export. */
export interface ExportQueue {
  /** Adding the same dispatch twice is harmless. What is archived waits until nothing else does. @throws QueueError */
  enqueue(dispatched: Dispatched): Promise<void>
  /** What has become of the job of a dispatch. @throws QueueError */
  look(id: string, dispatch: number): Promise<DispatchedJob>
}

export interface ListOptions {
  readonly signal: AbortSignal
  readonly only?: 'objects' | undefined
}

/** The database that is exported. Only ever read. */
export interface RowSource {
  /** Opens one read-only snapshot on a connection of its own. @throws SourceError */
  open(options: { signal: AbortSignal }): Promise<Snapshot>
}

export interface Snapshot {
  /** Everything committed before this instant is seen. */
  readonly at: Date
  /** Absent on a primary. */
  readonly standby?: Standby | undefined
  /** The planner's guess for all queries together; undefined where it has none. */
  estimate(queries: readonly DatasetQuery[]): Promise<number | undefined>
  /**
   * Reads the rows of the queries, one query after another; the same bytes however it goes about it.
   * @throws SourceError, EncodeError, or the signal's reason
   */
  read(queries: readonly DatasetQuery[], options: ReadOptions): AsyncIterable<RowBlock>
  /** Ends the connection; a query still running is canceled on the server. Never throws; safe to call again. */
  close(): Promise<void>
}

export interface ReadOptions {
  /** What stands behind each element: ASCII, and nothing that an element may hold. */
  readonly separator: string
}

/** Rows that come together, rendered. */
export interface RowBlock {
  /** UTF-8: the element of each row, each with the separator behind it. */
  readonly bytes: Buffer
  /** At least one. */
  readonly rows: number
}

export interface PutOptions {
  readonly contentType: string
  /** Guess of the final size, from which the part size is fixed up front. */
  readonly estimatedBytes?: number | undefined
  readonly signal: AbortSignal
}

export interface StoredObject {
  readonly key: string
  readonly bytes: number
  readonly etag: string
}

export interface Link {
  readonly url: string
  readonly expiresAt: Date
}

export interface LinkOptions {
  readonly ttlSeconds: number
  /** The name a browser saves the download under. */
  readonly fileName: string
  readonly contentType: string
}

/** What a store holds under a key: an object, or an upload that nobody has completed. */
export interface StoredEntry {
  readonly kind: 'object' | 'upload'
  readonly key: string
  /** When it was written, or begun, by the store's clock. */
  readonly at: Date
}

/** Where artifacts are kept: an S3 bucket. All errors are StoreErrors, or the signal's reason. */
export interface ArtifactStore {
  /**
   * Stores all chunks as one object, visible only when whole, and confirms its size. When it throws,
   * neither an object nor an open upload of this key is left behind.
   */
  put(key: string, chunks: AsyncIterable<Buffer>, options: PutOptions): Promise<StoredObject>
  /** Undefined when there is no such object. */
  stat(key: string): Promise<StoredObject | undefined>
  /**
   * Copies an object within the store. Undefined when there is none. The copy is whole or not there; copied once more, or by
   * others at the same time, it is the same.
   */
  copy(from: string, to: string): Promise<StoredObject | undefined>
  /** Removes the object and any open upload of this key. Nothing there is no error. */
  remove(key: string): Promise<void>
  /** Aborts every open upload of this key; an object there stays. Nothing there is no error. */
  abortUploads(key: string): Promise<void>
  /** All objects whose keys begin so, and unless those alone are wanted all open uploads, as they are found. */
  list(prefix: string, options: ListOptions): AsyncIterable<StoredEntry>
  /** Signs a link. Does not look whether the object exists. */
  link(key: string, options: LinkOptions): Promise<Link>
}
