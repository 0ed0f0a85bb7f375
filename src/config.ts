/**
 * The environment, parsed once, whole, and frozen; the only reader of process.env. Every problem is
 * reported together, as expected and got; values that may hold a secret are never shown.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { alertConfig, type AlertConfig } from './config/alerts.ts'
import { parseApiKeys, type ApiKey } from './config/api-keys.ts'
import type { ArchiveConfig } from './config/archive.ts'
import { redisConfig, type RedisConfig } from './config/redis.ts'
import { parseVariables, variableNames, type Environment, type Values } from './config/variables.ts'
import { ConfigError } from './errors.ts'

export type { Environment } from './config/variables.ts'

const databaseVariables = ['DATABASE_URL', 'SOURCE_DATABASE_URL'] as const
const storeVariables = [
  'S3_BUCKET',
  'S3_ENDPOINT',
  'S3_LINK_ENDPOINT',
  'S3_REGION',
  'S3_FORCE_PATH_STYLE',
  'S3_CHECKSUMS',
  'S3_ENCRYPTION',
  'S3_KMS_KEY_ID',
  'S3_TAGS',
  'S3_STORAGE_CLASS',
  'S3_BUCKET_OWNER',
] as const

/** What server and worker need. */
export interface Config {
  readonly databaseUrl: string
  readonly sourceDatabaseUrl: string
  /** Undefined: the queue is in the control database. */
  readonly redis: RedisConfig | undefined
  readonly s3: {
    readonly bucket: string
    readonly endpoint: string | undefined
    /** The store's address for whoever downloads, where that is another one. */
    readonly linkEndpoint: string | undefined
    readonly region: string | undefined
    readonly forcePathStyle: boolean
    readonly checksums: 'when_supported' | 'when_required'
    /** Of what is stored; undefined: as the bucket is set. */
    readonly encryption: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | undefined
    readonly kmsKeyId: string | undefined
    readonly tags: string | undefined
    readonly storageClass: string | undefined
    /** Number of the account that the bucket must belong to. */
    readonly bucketOwner: string | undefined
  }
  readonly archive: ArchiveConfig
  /** Undefined: nobody is called. */
  readonly alerts: AlertConfig | undefined
  /** Put before every object key. */
  readonly keyPrefix: string
  /** Who may ask; none: whoever is on this machine may do everything. */
  readonly apiKeys: readonly ApiKey[]
  /** Of one key; 0: any number. */
  readonly requestsPerSecond: number
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Likewise, of health and metrics of a worker. */
  readonly workerPort: number
  readonly exportConcurrency: number
  /** Of one API key, on all workers together; 0: any number. */
  readonly exportConcurrencyPerKey: number
  readonly exportReaders: number
  readonly maxFailures: number
  readonly maxAttempts: number
  /** Wall-clock limit of one export, its attempts and pauses together. */
  readonly maxSeconds: number
  readonly leaseSeconds: number
  /** An attempt that does not move for so long is ended, a synchronous stream broken off. */
  readonly stallSeconds: number
  /** Synchronous streams at once. */
  readonly streamConcurrency: number
  readonly shutdownGraceSeconds: number
  readonly linkTtlSeconds: number
  readonly artifactTtlDays: number
  /** What a lost attempt left in the store is removed when it is that old. */
  readonly orphanAgeMinutes: number
  readonly logLevel: string
  /** Whether spans are collected, and sent where the `OTEL_` variables say. */
  readonly tracing: boolean
}

/** @throws ConfigError with every problem */
export function parseConfig(environment: Environment): Config {
  const v = parseVariables(environment, variableNames)
  return Object.freeze({
    ...databaseConfig(v),
    redis: redisConfig(v),
    s3: storeConfig(v),
    keyPrefix: v.S3_PREFIX,
    apiKeys: parseApiKeys(v.API_KEYS, v.API_KEYS_FILE).keys,
    requestsPerSecond: v.REQUESTS_PER_SECOND,
    host: v.HOST,
    port: v.PORT,
    workerPort: v.WORKER_PORT,
    exportConcurrency: v.EXPORT_CONCURRENCY,
    exportConcurrencyPerKey: v.EXPORT_CONCURRENCY_PER_KEY,
    exportReaders: v.EXPORT_READERS,
    maxFailures: v.EXPORT_MAX_FAILURES,
    maxAttempts: v.EXPORT_MAX_ATTEMPTS,
    maxSeconds: v.EXPORT_MAX_SECONDS,
    leaseSeconds: v.LEASE_SECONDS,
    stallSeconds: v.STALL_SECONDS,
    streamConcurrency: v.STREAM_CONCURRENCY,
    shutdownGraceSeconds: v.SHUTDOWN_GRACE_SECONDS,
    linkTtlSeconds: v.LINK_TTL_SECONDS,
    artifactTtlDays: v.ARTIFACT_TTL_DAYS,
    orphanAgeMinutes: v.ORPHAN_AGE_MINUTES,
    archive: archiveConfig(v),
    alerts: alertConfig(v),
    logLevel: v.LOG_LEVEL,
    tracing:
      !v.OTEL_SDK_DISABLED &&
      (v.OTEL_EXPORTER_OTLP_ENDPOINT ?? v.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined,
  })
}

const archiveConfig = (v: Values): ArchiveConfig =>
  Object.freeze({
    pattern: v.ARCHIVE_SCHEDULE,
    file: v.ARCHIVES_FILE,
    timeZone: v.ARCHIVE_TIMEZONE,
    start: v.ARCHIVE_START,
    settleMinutes: v.ARCHIVE_SETTLE_MINUTES,
    keep: v.ARCHIVE_KEEP,
  })

type DatabaseConfig = Pick<Config, 'databaseUrl' | 'sourceDatabaseUrl'>

const databaseConfig = (v: Values<(typeof databaseVariables)[number]>): DatabaseConfig => ({
  databaseUrl: v.DATABASE_URL,
  sourceDatabaseUrl: v.SOURCE_DATABASE_URL ?? v.DATABASE_URL,
})

const storeConfig = (v: Values<(typeof storeVariables)[number]>): Config['s3'] =>
  Object.freeze({
    bucket: v.S3_BUCKET,
    endpoint: v.S3_ENDPOINT,
    linkEndpoint: v.S3_LINK_ENDPOINT,
    region: v.S3_REGION,
    forcePathStyle: v.S3_FORCE_PATH_STYLE,
    checksums: v.S3_CHECKSUMS,
    encryption: v.S3_ENCRYPTION,
    kmsKeyId: v.S3_KMS_KEY_ID,
    tags: v.S3_TAGS,
    storageClass: v.S3_STORAGE_CLASS,
    bucketOwner: v.S3_BUCKET_OWNER,
  })

/** What `migrate` and `seed` need. @throws ConfigError */
export function parseDatabaseConfig(environment: Environment): DatabaseConfig {
  return databaseConfig(parseVariables(environment, databaseVariables))
}

/** What `migrate --create-bucket` needs. @throws ConfigError */
export function parseSetupConfig(environment: Environment): DatabaseConfig & Pick<Config, 's3'> {
  const v = parseVariables(environment, [...databaseVariables, ...storeVariables])
  return { ...databaseConfig(v), s3: storeConfig(v) }
}

/** Where a service of this machine answers, a server or a worker. @throws ConfigError */
export function parsePorts(environment: Environment): Pick<Config, 'port' | 'workerPort'> {
  const v = parseVariables(environment, ['PORT', 'WORKER_PORT'])
  return { port: v.PORT, workerPort: v.WORKER_PORT }
}

/** What the commands need that talk to a server. @throws ConfigError */
export const parseClientConfig = (
  environment: Environment,
): { readonly url: string; readonly apiKey: string | undefined } => {
  const v = parseVariables(environment, ['LONGHAUL_URL', 'LONGHAUL_API_KEY'])
  return { url: v.LONGHAUL_URL, apiKey: v.LONGHAUL_API_KEY }
}

/**
 * The environment of this process, over the variables of a `.env` file in the working folder.
 * @throws ConfigError when the file is there but cannot be read
 */
export function readEnvironment(): Environment {
  if (!existsSync('.env')) return process.env
  try {
    return { ...parseEnv(readFileSync('.env', 'utf8')), ...process.env }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError([`.env: expected a file that can be read, got: ${reason}`])
  }
}

/**
 * Hands the AWS variables to the AWS SDK, whose credential chain reads process.env itself; one that
 * is undefined here is taken away. Also silences the SDK's warning about Node 20 at every start,
 * which `longhaul doctor` and the README give once.
 */
export function exposeToAwsSdk(environment: Environment): void {
  expose(environment, 'AWS_')
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
}

/** Likewise the `OTEL_` variables, to the SDK of OpenTelemetry. */
export const exposeToOpenTelemetry = (environment: Environment): void =>
  expose(environment, 'OTEL_')

function expose(environment: Environment, prefix: string): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(prefix)) continue
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
}
