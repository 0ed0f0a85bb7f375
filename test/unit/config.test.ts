import { describe, expect, it } from 'vitest'
import { parseClientConfig, parseConfig, parseDatabaseConfig } from '../../src/config.ts'
import { ConfigError } from '../../src/errors.ts'
import { keepForEver } from '../../src/runtime/keep-text.ts'

const url = 'postgres://longhaul:s3cret-pass@db:5432/longhaul'
const least = { DATABASE_URL: url, S3_BUCKET: 'exports' }

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).problems
  }
  return []
}
const problemsWith = (environment: Readonly<Record<string, string | undefined>>) =>
  problemsOf(() => parseConfig({ ...least, ...environment }))

describe('the configuration', () => {
  it('has these defaults', () => {
    expect(parseConfig(least)).toEqual({
      databaseUrl: url,
      sourceDatabaseUrl: url,
      redis: undefined,
      s3: {
        bucket: 'exports',
        endpoint: undefined,
        linkEndpoint: undefined,
        region: undefined,
        forcePathStyle: false,
        checksums: 'when_supported',
      },
      keyPrefix: '',
      apiKeys: [],
      requestsPerSecond: 100,
      host: '127.0.0.1',
      orphanAgeMinutes: 60,
      port: 8080,
      exportConcurrency: 2,
      exportConcurrencyPerKey: 0,
      exportReaders: 2,
      maxFailures: 5,
      maxAttempts: 50,
      maxSeconds: 86_400,
      leaseSeconds: 30,
      stallSeconds: 120,
      streamConcurrency: 4,
      workerPort: 8081,
      shutdownGraceSeconds: 25,
      linkTtlSeconds: 3600,
      artifactTtlDays: 7,
      archive: {
        ...{ pattern: undefined, file: undefined, timeZone: 'UTC', start: undefined },
        settleMinutes: 120,
        keep: keepForEver,
      },
      logLevel: 'info',
      tracing: false,
    })
    expect(parseClientConfig({})).toEqual({ url: 'http://127.0.0.1:8080', apiKey: undefined })
  })

  it('takes what is set', () => {
    const config = parseConfig({
      ...least,
      SOURCE_DATABASE_URL: 'postgresql://replica/longhaul',
      S3_PREFIX: 'team/',
      S3_ENDPOINT: 'http://minio:9000',
      S3_LINK_ENDPOINT: 'https://files.example.org',
      S3_REGION: 'eu-central-1',
      S3_FORCE_PATH_STYLE: 'true',
      S3_CHECKSUMS: 'when_required',
      S3_ENCRYPTION: 'aws:kms',
      S3_KMS_KEY_ID: 'alias/exports',
      S3_TAGS: 'team=a+b&kind=export',
      S3_STORAGE_CLASS: 'STANDARD_IA',
      S3_BUCKET_OWNER: '012345678901',
      HOST: '::1',
      PORT: '0',
      EXPORT_CONCURRENCY: '64',
      LOG_LEVEL: 'debug',
    })
    expect(config).toMatchObject({
      sourceDatabaseUrl: 'postgresql://replica/longhaul',
      s3: {
        endpoint: 'http://minio:9000',
        linkEndpoint: 'https://files.example.org',
        region: 'eu-central-1',
        forcePathStyle: true,
        checksums: 'when_required',
        encryption: 'aws:kms',
        kmsKeyId: 'alias/exports',
        tags: 'team=a%20b&kind=export',
        storageClass: 'STANDARD_IA',
        bucketOwner: '012345678901',
      },
      keyPrefix: 'team/',
      host: '::1',
      port: 0,
      exportConcurrency: 64,
      logLevel: 'debug',
    })
  })

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' }, false],
    [{ OTEL_SERVICE_NAME: 'exports' }, false],
  ])('traces where it is said where to: %o', (variables, tracing) => {
    expect(parseConfig({ ...least, ...variables }).tracing).toBe(tracing)
  })

  it('cannot be changed afterwards', () => {
    const config = parseConfig(least)
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.isFrozen(config.s3)).toBe(true)
  })

  it('takes an empty variable as not set', () => {
    expect(parseConfig({ ...least, PORT: '', SOURCE_DATABASE_URL: '', REDIS_URL: '' })).toEqual(
      parseConfig(least),
    )
  })

  it('ignores what belongs to others', () => {
    expect(problemsWith({ PATH: '/bin', HOSTNAME: 'x', EXPORT: 'y', PORTS: '1' })).toEqual([])
  })
})

describe('a configuration that is wrong', () => {
  it('lists every problem at once', () => {
    const problems = problemsWith({
      DATABASE_URL: undefined,
      S3_BUCKET: undefined,
      S3_ENDPOINT: 'minio:9000',
      PORT: '80a',
      LEASE_SECONDS: '4',
      S3_CHECKSUMS: 'never',
      HOST: '0.0.0.0',
      REDIS_URL: 'http://x',
      EXPORT_CONCURENCY: '3',
    })
    const names = problems.map((problem) => problem.slice(0, problem.indexOf(':')))
    expect([...names].sort()).toEqual([
      'DATABASE_URL',
      'EXPORT_CONCURENCY',
      'HOST',
      'LEASE_SECONDS',
      'PORT',
      'REDIS_URL',
      'S3_BUCKET',
      'S3_CHECKSUMS',
      'S3_ENDPOINT',
    ])
    const error = new ConfigError(problems)
    for (const problem of problems) expect(error.message).toContain(problem)
    expect(error.message).toContain('9 problems')
  })

  it.each([
    ['S3_BUCKET', undefined, 'expected the name of a bucket, got nothing'],
    ['PORT', '-1', 'expected a whole number from 0 to 65535, got "-1"'],
    ['PORT', '65536', 'expected a whole number from 0 to 65535'],
    ['PORT', '80.5', 'expected a whole number'],
    ['PORT', '1e3', 'expected a whole number'],
    ['PORT', ' 80', 'expected a whole number'],
    ['EXPORT_CONCURRENCY', '0', 'expected a whole number from 1 to 64, got "0"'],
    ['EXPORT_MAX_FAILURES', 'many', 'expected a whole number from 1'],
    ['EXPORT_MAX_ATTEMPTS', '0', 'expected a whole number from 1'],
    ['SHUTDOWN_GRACE_SECONDS', '-1', 'expected a whole number from 0'],
    ['LINK_TTL_SECONDS', '604801', 'expected a whole number from 1 to 604800'],
    ['ARTIFACT_TTL_DAYS', '0', 'expected a whole number from 1'],
    ['S3_FORCE_PATH_STYLE', 'yes', 'expected one of "true", "false", got "yes"'],
    ['S3_ENCRYPTION', 'kms', 'expected one of "AES256"'],
    ['S3_KMS_KEY_ID', 'alias/x', 'expected S3_ENCRYPTION=aws:kms'],
    ['S3_TAGS', 'a=1&a=2', 'expected one to 10 tags'],
    ['S3_TAGS', 'a=<b>', 'expected one to 10 tags'],
    ['S3_TAGS', '=1', 'expected one to 10 tags'],
    ['S3_STORAGE_CLASS', 'DEEP_ARCHIVE', 'whose objects can be read at once'],
    ['S3_STORAGE_CLASS', 'standard ia', 'such as STANDARD_IA'],
    ['S3_BUCKET_OWNER', '1234', 'the 12 digits'],
    ['S3_CHECKSUMS', 'WHEN_REQUIRED', 'expected one of "when_supported", "when_required"'],
    ['S3_ENDPOINT', 's3://bucket', 'expected a URL that begins with http:// or https://'],
    ['S3_LINK_ENDPOINT', 'files', 'expected a URL that begins with http:// or https://'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'begins with http:// or https://'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'expected one of "http/protobuf", got "grpc"'],
    ['LOG_LEVEL', 'loud', 'expected one of "trace", "debug"'],
    ['HOST', '0.0.0.0', 'expected 127.0.0.1, ::1 or localhost, got "0.0.0.0": without API keys'],
    ['HOST', '192.168.0.1', 'expected 127.0.0.1, ::1 or localhost'],
    ['HOST', '::', 'expected 127.0.0.1, ::1 or localhost'],
    ['EXPORT_CONCURENCY', '3', 'did you mean EXPORT_CONCURRENCY?'],
    ['LEASE_SECOND', '3', 'did you mean LEASE_SECONDS?'],
    ['SOURCE_DATABSE_URL', 'x', 'did you mean SOURCE_DATABASE_URL?'],
    ['LINK_TTL_SECOND', '3', 'did you mean LINK_TTL_SECONDS?'],
  ])('names the variable and what was expected: %s=%s', (name, value, expected) => {
    const problems = problemsWith({ [name]: value })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(new RegExp(`^${name}: `))
    expect(problems[0]).toContain(expected)
  })

  it('says that a database URL is missing, when it is', () => {
    const problems = problemsWith({ DATABASE_URL: undefined })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(/^DATABASE_URL: expected .*, got nothing/)
  })

  it.each([
    { DATABASE_URL: 'mysql://root:s3cret-pass@db/x' },
    { DATABASE_URL: 'root:s3cret-pass@db/x' },
    { SOURCE_DATABASE_URL: 's3cret-pass' },
    { S3_ENDPOINT: 'ftp://user:s3cret-pass@minio' },
    { API_KEYS: 's3cret-pass' },
    { REDIS_URL: 'http://:s3cret-pass@cache' },
    { REDIS_URL: 'redis://:s3cret-pass@cache/jobs' },
    { SOURCE_DATABSE_URL: 'postgres://x:s3cret-pass@db' },
  ])('never shows what may be a secret: %o', (environment) => {
    const problems = problemsWith(environment)
    expect(problems).toHaveLength(1)
    expect(problems.join()).not.toContain('s3cret-pass')
  })
})

describe('the configuration of a single command', () => {
  it('asks migrate and seed for the database alone', () => {
    expect(parseDatabaseConfig({ DATABASE_URL: url })).toEqual({
      databaseUrl: url,
      sourceDatabaseUrl: url,
    })
    expect(problemsOf(() => parseDatabaseConfig({}))).toHaveLength(1)
  })

  it('asks the client commands for nothing', () => {
    expect(parseClientConfig({ LONGHAUL_URL: 'https://x' })).toEqual({ url: 'https://x' })
    expect(problemsOf(() => parseClientConfig({ LONGHAUL_URL: 'x' }))).toHaveLength(1)
  })

  it('takes an API key that a header can hold, and shows none that it cannot', () => {
    expect(parseClientConfig({ LONGHAUL_API_KEY: 'a-key' }).apiKey).toBe('a-key')
    for (const key of ['hush-hush\n', 'hush hush', 'hüsh-hush']) {
      const problems = problemsOf(() => parseClientConfig({ LONGHAUL_API_KEY: key }))
      expect(problems).toEqual(['LONGHAUL_API_KEY: expected visible ASCII characters'])
    }
  })
})
