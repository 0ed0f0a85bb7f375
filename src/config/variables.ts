import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { describeIssues, got } from '../runtime/describe-issues.ts'
import { nearestName } from '../runtime/nearest-name.ts'
import { alertConflicts, alertSecret } from './alerts.ts'
import { parseApiKeys } from './api-keys.ts'
import { archiveKeep, archiveSchedule, localDate, timeZone } from './archive.ts'
import { redisConflicts } from './redis.ts'
import { boolean, hosts, httpUrl, integer, postgresUrl, redisUrl } from './checks.ts'
import { objectTags, storageClass, storeConflicts } from './store.ts'

/** The one that every collector takes. */
const otlpProtocol = z.literal('http/protobuf').optional()

/** Every variable, with its default and its limits; design and README have the same table. */
const variables = z.object({
  DATABASE_URL: postgresUrl,
  SOURCE_DATABASE_URL: postgresUrl.optional(),
  REDIS_URL: redisUrl.optional(),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, {
      error: 'expected 1 to 64 letters, digits, underscores, dots, colons or hyphens',
    })
    .default('longhaul'),
  REDIS_CLUSTER: boolean(false),
  REDIS_SENTINELS: hosts(26_379).optional(),
  REDIS_SENTINEL_MASTER: z.string().optional(),
  REDIS_SENTINEL_USERNAME: z.string().optional(),
  REDIS_SENTINEL_PASSWORD: z.string().optional(),
  S3_BUCKET: z.string({ error: 'expected the name of a bucket' }),
  S3_PREFIX: z.string().default(''),
  S3_ENDPOINT: httpUrl.optional(),
  S3_LINK_ENDPOINT: httpUrl.optional(),
  S3_REGION: z.string().optional(),
  S3_FORCE_PATH_STYLE: boolean(false),
  S3_ENCRYPTION: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional(),
  S3_KMS_KEY_ID: z.string().optional(),
  S3_TAGS: objectTags.optional(),
  S3_STORAGE_CLASS: storageClass.optional(),
  S3_BUCKET_OWNER: z
    .string()
    .regex(/^\d{12}$/, { error: 'expected the 12 digits of an AWS account' })
    .optional(),
  S3_CHECKSUMS: z.enum(['when_supported', 'when_required']).default('when_supported'),
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(8080, 0, 65_535),
  WORKER_PORT: integer(8081, 0, 65_535),
  EXPORT_CONCURRENCY: integer(2, 1, 64),
  EXPORT_CONCURRENCY_PER_KEY: integer(0, 0, 10_000),
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
  ARCHIVE_SCHEDULE: archiveSchedule.optional(),
  ARCHIVES_FILE: z.string().optional(),
  ARCHIVE_TIMEZONE: timeZone.default('UTC'),
  ARCHIVE_START: localDate.optional(),
  ARCHIVE_SETTLE_MINUTES: integer(120, 0, 525_600),
  ARCHIVE_KEEP: archiveKeep.prefault('for ever'),
  ALERT_WEBHOOK_URL: httpUrl.optional(),
  ALERT_WEBHOOK_SECRET: alertSecret.optional(),
  ALERT_WEBHOOK_ALLOW_PRIVATE: boolean(false),
  API_KEYS: z.string().optional(),
  API_KEYS_FILE: z.string().optional(),
  REQUESTS_PER_SECOND: integer(100, 0, 1_000_000),
  LONGHAUL_API_KEY: z
    .string()
    // the value is never shown: it is a secret
    .refine((key) => /^[\x21-\x7e]+$/.test(key), { message: 'expected visible ASCII characters' })
    .optional(),
  LONGHAUL_URL: httpUrl.default('http://127.0.0.1:8080'),
  OTEL_SDK_DISABLED: boolean(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: otlpProtocol,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: otlpProtocol,
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})
export type VariableName = keyof typeof variables.shape

/** All of them, or some. */
export const variableNames = Object.keys(variables.shape) as VariableName[]

/** A set of variables, each of them parsed. */
export type Values<Name extends VariableName = VariableName> = Pick<
  z.output<typeof variables>,
  Name
>

export type Environment = Readonly<Record<string, string | undefined>>

/** @throws ConfigError with every problem */
export function parseVariables<Name extends VariableName>(
  environment: Environment,
  names: readonly Name[],
): Values<Name> {
  // an empty variable is how compose files and shells say "not set"
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const mask = Object.fromEntries(names.map((name) => [name, true as const]))
  const result = variables.pick(mask as Record<VariableName, true>).safeParse(given)
  const problems = [
    ...(result.success ? [] : describeIssues(result.error, given)),
    ...(names.some((name) => name === 'REDIS_URL') ? redisConflicts(given) : []),
    ...(names.some((name) => name === 'S3_BUCKET') ? storeConflicts(given) : []),
    ...(names.some((name) => name === 'HOST') ? doorProblems(given) : []),
    ...(names.some((name) => name === 'ALERT_WEBHOOK_URL') ? alertConflicts(given) : []),
    ...misspelt(Object.keys(given)),
  ]
  if (!result.success || problems.length > 0) throw new ConfigError(problems)
  return result.data
}

/** Without keys nobody but this machine may come in. */
function doorProblems({ HOST = '127.0.0.1', API_KEYS, API_KEYS_FILE }: Environment) {
  const { problems } = parseApiKeys(API_KEYS, API_KEYS_FILE)
  const keyless = API_KEYS === undefined && API_KEYS_FILE === undefined
  return keyless && !['127.0.0.1', '::1', 'localhost'].includes(HOST)
    ? [
        `HOST: expected 127.0.0.1, ::1 or localhost, got ${got(HOST)}: without API keys the server answers to this machine ` +
          'only; `longhaul keys create` makes one for API_KEYS',
      ]
    : problems
}

/** Names that are one or two letters away from one of ours, and belong to nobody else by their prefix. */
function misspelt(names: readonly string[]): readonly string[] {
  const known = Object.keys(variables.shape)
  return names
    .filter((name) =>
      /^(ALERT|EXPORT|ARCHIVES?|ARTIFACT|REDIS|REQUESTS|SHUTDOWN|LEASE|LINK|ORPHAN|SOURCE|STALL|STREAM|LONGHAUL)_/.test(
        name,
      ),
    )
    .filter((name) => !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestName(name, known)
      return nearest === undefined
        ? []
        : [`${name}: there is no such variable, did you mean ${nearest}?`]
    })
}
