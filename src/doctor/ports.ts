/**
 * What is asked of the parts of an installation. The adapters answer with facts; what these mean, and what to do
 * about them, is decided in this folder. Every question may throw an ExportError, or the signal's reason, and
 * changes nothing that stays.
 */
import type { DatasetQuery, EventColumn, SourceTable, TableIndex } from '../datasets/dataset.ts'
import type { ExportError } from '../errors.ts'

export interface Asking {
  readonly signal: AbortSignal
}

/** One look at a foreign clock; ms since 1970, the first two by our own. */
export interface ClockReading {
  readonly askedAt: number
  readonly answeredAt: number
  readonly theirs: number
}

export interface ServerFacts {
  readonly version: string
  /** 180004 is 18.4. */
  readonly versionNumber: number
  /** Major versions that are supported. */
  readonly supported: { readonly oldest: number; readonly newest: number }
  readonly standby: boolean
  /** Whether transactions may not write unless they say so. */
  readonly readOnly: boolean
  /** Whether a pooler is between. */
  readonly pooled: boolean
}

export interface ConnectionFacts {
  /** Host, port and name, without user and password. */
  readonly place: string
  readonly tookMs: number
}

export interface DatabaseInspection {
  connect(asking: Asking): Promise<ConnectionFacts>
  server(asking: Asking): Promise<ServerFacts>
  /** The first readings of a connection may take longer. */
  readClock(asking: Asking): Promise<readonly ClockReading[]>
}

export interface MigrationFacts {
  readonly applied: readonly string[]
  /** Of this version, but not applied. */
  readonly missing: readonly string[]
  /** Applied, but not of this version: a newer one did that. */
  readonly unknown: readonly string[]
}

export interface QueueSchemaFacts {
  readonly exists: boolean
  /** Whether this user could make it. */
  readonly mayCreate: boolean
}

export interface ControlInspection extends DatabaseInspection {
  migrations(asking: Asking): Promise<MigrationFacts>
  /** Rights that this user lacks: `update on longhaul.exports`. */
  missingRights(asking: Asking): Promise<readonly string[]>
  queueSchema(asking: Asking): Promise<QueueSchemaFacts>
  /** The archives that the ledger keeps. */
  archives(asking: Asking): Promise<readonly ArchiveFacts[]>
}

/** An archive, as it is defined or as the ledger keeps it. */
export interface ArchiveFacts {
  readonly name: string
  /** Of its windows: `day`. */
  readonly unit: string
  readonly timeZone: string
}

export interface StandbyFacts {
  /** How far it is behind, ms; undefined: it has replayed nothing yet. */
  readonly lagMs: number | undefined
  readonly feedback: boolean
  /** The setting that says how long queries may hold replay up. */
  readonly delaySetting: string
  /** Its value, ms; -1: for ever. */
  readonly delayMs: number
}

export interface RoleFacts {
  readonly name: string
  /** Connections that this user may have in this database at once. */
  readonly connections: number
}

export type RelationKind =
  'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table'

export interface TableFacts {
  readonly name: string
  /** Undefined: there is nothing of this name. */
  readonly kind: RelationKind | undefined
  /** Why its columns cannot be read. */
  readonly failure: ExportError | undefined
  /** As it is written in SQL. */
  readonly user: string
  /** Whether row security may hide rows from this user. */
  readonly hidesRows: boolean
  /** Whether the planner knows something of it; undefined where it cannot, or there is nothing to know. */
  readonly analyzed: boolean | undefined
}

export interface IndexFacts {
  readonly wanted: TableIndex
  readonly kind: RelationKind | undefined
  /** Of one that does it. */
  readonly name: string | undefined
  /** Of one that finds what is wanted, but not in the wanted order. */
  readonly unordered: string | undefined
  /** Of one that would, were it valid. */
  readonly invalid: string | undefined
  /** Whether something else has the wanted name. */
  readonly nameTaken: boolean
}

export interface ScanFacts {
  readonly table: string
  /** Undefined: the whole table is read. */
  readonly index: string | undefined
  /** Of the table, by its statistics. */
  readonly tableRows: number
}

export interface PlanFacts {
  /** That the planner expects. */
  readonly rows: number
  /** Whether all rows are sorted before the first one comes. */
  readonly sorts: boolean
  readonly scans: readonly ScanFacts[]
}

export interface SourceInspection extends DatabaseInspection {
  /** Undefined: it is a primary. */
  standby(asking: Asking): Promise<StandbyFacts | undefined>
  role(asking: Asking): Promise<RoleFacts>
  tables(tables: readonly SourceTable[], asking: Asking): Promise<readonly TableFacts[]>
  indexes(indexes: readonly TableIndex[], asking: Asking): Promise<readonly IndexFacts[]>
  /** When, not long ago, there were events, by the statistics; nothing is read for it. */
  recentEvent(column: EventColumn, asking: Asking): Promise<Date | undefined>
  /** How the queries would be run, as an export runs them; none of them is. */
  plans(queries: readonly DatasetQuery[], asking: Asking): Promise<readonly PlanFacts[]>
}

/** One server of Redis or Valkey. Undefined: it does not tell. */
export interface RedisNode {
  readonly place: string
  readonly product: 'Redis' | 'Valkey'
  /** Of the product. */
  readonly version: string | undefined
  /** Of Redis, with which it is compatible. */
  readonly compatibleVersion: string | undefined
  readonly policy: string | undefined
  readonly clustered: boolean | undefined
  readonly replica: boolean | undefined
  /** Whether anything of it outlives a restart. */
  readonly persistent: boolean | undefined
}

export interface RedisInspection {
  readonly place: string
  /** Whether it was asked as one of a cluster. */
  readonly cluster: boolean
  /** What the queue needs, and what is better. */
  readonly minimumVersion: string
  readonly recommendedVersion: string
  /** All of a cluster, else the one. */
  nodes(asking: Asking): Promise<readonly RedisNode[]>
}

/** The queue in the control database. */
export interface QueueProbe {
  ask(asking: Asking): Promise<void>
}

/** Why a receiver was not reached. */
export interface UnreachedReceiver {
  readonly reason: string
  /** Its address is one that may not be called. */
  readonly isPrivate: boolean
}

/** Whoever is called in an alarm. */
export interface WebhookInspection {
  /** `https://alerts.example.com`: all of its URL that is ever shown. */
  readonly origin: string
  /** Opens a connection, and sends no request. @returns undefined where it came about */
  connect(asking: Asking): Promise<UnreachedReceiver | undefined>
}

/** What is at an address of this machine. */
export type PortFacts =
  | { readonly state: 'free' | 'longhaul' | 'stranger' }
  /** By its code, such as EACCES. */
  | { readonly state: 'impossible'; readonly reason: string }

export type PortProbe = (host: string, port: number, asking: Asking) => Promise<PortFacts>
