/**
 * The environment, parsed once, whole, and frozen; the only reader of process.env. Every problem is
 * reported together, as expected and got; values that may hold a secret are never shown.
 */
import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { ConfigError } from './errors.ts'
import { describeIssues, got } from './runtime/describe-issues.ts'
import { nearestName } from './runtime/nearest-name.ts'

const custom = (context: z.RefinementCtx, message: string) => {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

const integer = (fallback: number, min: number, max: number) =>
  z
    .string()
    .default(String(fallback))
    .transform((text, context) => {
      const value = /^\d+$/.test(text) ? Number(text) : NaN
      return value >= min && value <= max
        ? value
        : custom(context, `expected a whole number from ${min} to ${max}, got ${got(text)}`)
    })

const boolean = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true')

const urlOf = (protocols: readonly string[], user: 'with user' | 'without user') => {
  const forms = protocols.map((protocol) => `${protocol}//`).join(' or ')
  const wanted = `expected a URL that begins with ${forms}`
  return z.string({ error: wanted }).transform((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined
    // the value is never shown: it may hold a password
    if (url === undefined || !protocols.includes(url.protocol)) return custom(context, wanted)
    if (user === 'without user' && url.username + url.password !== '') {
      return custom(context, `${wanted}, without a user or password in it`)
    }
    return text
  })
}

const postgresUrl = urlOf(['postgres:', 'postgresql:'], 'with user')
const httpUrl = urlOf(['http:', 'https:'], 'without user')

const loopback = z
  .string()
  .default('127.0.0.1')
  .refine((host) => ['127.0.0.1', '::1', 'localhost'].includes(host), {
    message:
      'expected 127.0.0.1, ::1 or localhost: without API keys the server answers to this machine only',
  })

/** Every variable, with its default and its limits; design and README have the same table. */
const variables = z.object({
  DATABASE_URL: postgresUrl,
  SOURCE_DATABASE_URL: postgresUrl.optional(),
  S3_BUCKET: z.string({ error: 'expected the name of a bucket' }),
  S3_PREFIX: z.string().default(''),
  S3_ENDPOINT: httpUrl.optional(),
  S3_REGION: z.string().optional(),
  S3_FORCE_PATH_STYLE: boolean(false),
  S3_CHECKSUMS: z.enum(['when_supported', 'when_required']).default('when_supported'),
  HOST: loopback,
  PORT: integer(8080, 0, 65_535),
  WORKER_PORT: integer(8081, 0, 65_535),
  EXPORT_CONCURRENCY: integer(2, 1, 64),
  EXPORT_READERS: integer(2, 1, 16),
  EXPORT_MAX_FAILURES: integer(5, 1, 1000),
  EXPORT_MAX_ATTEMPTS: integer(50, 1, 1000),
  EXPORT_MAX_SECONDS: integer(86_400, 1, 31_536_000),
  LEASE_SECONDS: integer(30, 5, 3600),
  STALL_SECONDS: integer(120, 1, 86_400),
  STREAM_CONCURRENCY: integer(4, 1, 1000),
  SHUTDOWN_GRACE_SECONDS: integer(25, 0, 3600),
  LINK_TTL_SECONDS: integer(3600, 1, 604_800),
  ARTIFACT_TTL_DAYS: integer(7, 1, 36_500),
  ORPHAN_AGE_MINUTES: integer(60, 0, 525_600),
  LONGHAUL_API_KEY: z
    .string()
    // the value is never shown: it is a secret
    .refine((key) => /^[\x21-\x7e]+$/.test(key), { message: 'expected visible ASCII characters' })
    .optional(),
  LONGHAUL_URL: httpUrl.default('http://127.0.0.1:8080'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})
type VariableName = keyof typeof variables.shape

/** Planned, and dangerous to ignore in silence: somebody who sets them relies on them. */
const notYet = ['REDIS_URL', 'API_KEYS', 'API_KEYS_FILE', 'ARCHIVE_SCHEDULE', 'ARCHIVES_FILE']

/** What server and worker need. */
export interface Config {
  readonly databaseUrl: string
  readonly sourceDatabaseUrl: string
  readonly s3: {
    readonly bucket: string
    readonly endpoint: string | undefined
    readonly region: string | undefined
    readonly forcePathStyle: boolean
    readonly checksums: 'when_supported' | 'when_required'
  }
  /** Put before every object key. */
  readonly keyPrefix: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Likewise, of health and metrics of a worker. */
  readonly workerPort: number
  readonly exportConcurrency: number
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
}

export type Environment = Readonly<Record<string, string | undefined>>

/** @throws ConfigError with every problem */
export function parseConfig(environment: Environment): Config {
  const v = parseVariables(environment, Object.keys(variables.shape) as VariableName[])
  return Object.freeze({
    databaseUrl: v.DATABASE_URL,
    sourceDatabaseUrl: v.SOURCE_DATABASE_URL ?? v.DATABASE_URL,
    s3: Object.freeze({
      bucket: v.S3_BUCKET,
      endpoint: v.S3_ENDPOINT,
      region: v.S3_REGION,
      forcePathStyle: v.S3_FORCE_PATH_STYLE,
      checksums: v.S3_CHECKSUMS,
    }),
    keyPrefix: v.S3_PREFIX,
    host: v.HOST,
    port: v.PORT,
    workerPort: v.WORKER_PORT,
    exportConcurrency: v.EXPORT_CONCURRENCY,
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
    logLevel: v.LOG_LEVEL,
  })
}

/** What `migrate` and `seed` need. @throws ConfigError */
export function parseDatabaseConfig(environment: Environment): {
  readonly databaseUrl: string
  readonly sourceDatabaseUrl: string
} {
  const v = parseVariables(environment, ['DATABASE_URL', 'SOURCE_DATABASE_URL'])
  return {
    databaseUrl: v.DATABASE_URL,
    sourceDatabaseUrl: v.SOURCE_DATABASE_URL ?? v.DATABASE_URL,
  }
}

/** What the commands need that talk to a server. @throws ConfigError */
export const parseClientConfig = (
  environment: Environment,
): { readonly url: string; readonly apiKey: string | undefined } => {
  const v = parseVariables(environment, ['LONGHAUL_URL', 'LONGHAUL_API_KEY'])
  return { url: v.LONGHAUL_URL, apiKey: v.LONGHAUL_API_KEY }
}

function parseVariables<Name extends VariableName>(
  environment: Environment,
  names: readonly Name[],
): Pick<z.output<typeof variables>, Name> {
  // an empty variable is how compose files and shells say "not set"
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const mask = Object.fromEntries(names.map((name) => [name, true as const]))
  const result = variables.pick(mask as Record<VariableName, true>).safeParse(given)
  const problems = [
    ...(result.success ? [] : describeIssues(result.error, given)),
    ...notYet
      .filter((name) => given[name] !== undefined)
      .map((name) => `${name}: this version does not support it yet, and must not ignore it`),
    ...misspelt(Object.keys(given)),
  ]
  if (!result.success || problems.length > 0) throw new ConfigError(problems)
  return result.data
}

/** Names that are one or two letters away from one of ours, and belong to nobody else by their prefix. */
function misspelt(names: readonly string[]): readonly string[] {
  const known = [...Object.keys(variables.shape), ...notYet]
  return names
    .filter((name) =>
      /^(EXPORT|ARTIFACT|SHUTDOWN|LEASE|LINK|ORPHAN|SOURCE|STALL|STREAM|LONGHAUL)_/.test(name),
    )
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestName(name, known)
      return nearest === undefined
        ? []
        : [`${name}: there is no such variable, did you mean ${nearest}?`]
    })
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
 * which the README gives once.
 */
export function exposeToAwsSdk(environment: Environment): void {
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('AWS_')) continue
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
}
