/** The layers of the code: who may import whom. A rule that is broken names itself and says why. */

const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|jobs|test)/', pathNot: [from, ...allowed].map((path) => `${path}`) },
})

const oneFolder = (name, packages, folder) => ({
  name,
  comment: `${packages} is used in ${folder} only`,
  severity: 'error',
  from: { path: '^(src|jobs)/', pathNot: folder },
  to: { path: `node_modules/(${packages})/` },
})

const L0 = ['^src/errors\\.ts$', '^src/runtime/', '^src/logger\\.ts$', '^src/version\\.ts$']
const domain = ['^src/(export|archive|verify)/(model|ports)\\.ts$', ...L0]
/** What adapters are asked to look at. */
const inspection = '^src/doctor/(bucket-)?ports\\.ts$'

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      comment: 'a file that nothing needs',
      severity: 'error',
      from: { path: '^(src|jobs)/', orphan: true, pathNot: ['^src/embedded/s3/main\\.ts$'] },
      to: {},
    },
    only(
      'base',
      '^src/(errors|config|logger|version)\\.ts$|^src/(config|runtime)/',
      L0,
      'L0 imports downwards only',
    ),
    only('encode', '^src/encode/', L0, 'rows are plain records: knows no export'),
    only('datasets', '^src/datasets/', L0, 'says how to select and render, nothing else'),
    only(
      'export',
      '^src/export/',
      ['^src/datasets/', '^src/encode/', ...L0],
      'the domain knows no technology',
    ),
    only(
      'retention',
      '^src/retention/',
      ['^src/export/', ...L0],
      'policy and use case, no technology',
    ),
    only(
      'archive',
      '^src/archive/',
      ['^src/export/', ...L0],
      'policy and use cases, no technology',
    ),
    only(
      'verify',
      '^src/verify/',
      ['^src/(archive|export|encode)/', '^src/datasets/dataset\\.ts$', ...L0],
      'policy and use cases, no technology',
    ),
    only(
      'client',
      '^src/client/',
      [
        '^src/http/schemas\\.ts$',
        '^src/(datasets/dataset|encode/(compression|format))\\.ts$',
        ...L0,
      ],
      'no database and no queue in a client',
    ),
    {
      name: 'light-client',
      comment: 'whoever only asks does not load the time zones of the calendar',
      severity: 'error',
      from: { path: '^src/client/' },
      to: { path: '^src/archive/calendar\\.ts$', reachable: true },
    },
    only(
      'postgres',
      '^src/postgres/',
      ['^src/export/state\\.ts$', '^src/datasets/dataset\\.ts$', inspection, ...domain],
      'adapters know ports, never each other',
    ),
    only('s3', '^src/s3/', [inspection, ...domain], 'adapters know ports, never each other'),
    only('queue', '^src/queue/', [inspection, ...domain], 'adapters know ports, never each other'),
    only(
      'webhook',
      '^src/webhook/',
      [inspection, ...domain],
      'adapters know ports, never each other',
    ),
    only(
      'doctor',
      '^src/doctor/',
      ['^src/datasets/dataset\\.ts$', ...L0],
      'decides what facts mean; knows no technology',
    ),
    only('metrics', '^src/metrics/', ['^src/retention/', ...domain], 'wraps ports and use cases'),
    only(
      'http',
      '^src/http/',
      ['^src/(export|archive)/', '^src/config/api-keys\\.ts$', inspection, ...L0],
      'never postgres, s3 or queue',
    ),
    only(
      'jobs',
      '^jobs/',
      ['^src/(export|archive|retention)/', '^src/queue/job-definition\\.ts$', ...L0],
      'policy only',
    ),
    only(
      'embedded',
      '^src/embedded/',
      L0,
      'nothing in the export path knows of it, nor it of the export path',
    ),
    {
      name: 'embedded-from-cli',
      comment: 'imported by cli/ and test/ only',
      severity: 'error',
      from: { path: '^(src|jobs)/', pathNot: '^src/(embedded|cli)/' },
      to: { path: '^src/embedded/' },
    },
    {
      name: 'compose-from-cli',
      comment: 'the composition root is at the top',
      severity: 'error',
      from: { path: '^(src|jobs)/', pathNot: '^src/(cli/|compose)' },
      to: { path: '^src/(compose|cli/)' },
    },
    oneFolder('pg-in-postgres', 'pg|pg-query-stream|pg-cursor', '^src/postgres/'),
    oneFolder('aws-in-s3', '@aws-sdk|@smithy', '^src/s3/'),
    oneFolder('bullmq-in-queue', 'bullmq|bullmq-otel|ioredis', '^src/queue/'),
    oneFolder('fastify-in-http', 'fastify|@fastify', '^src/http/'),
    oneFolder('prom-client-in-metrics', 'prom-client', '^src/metrics/'),
    oneFolder(
      'opentelemetry-sdk-in-tracing',
      '@opentelemetry/(core|resources|sdk-trace-node|exporter-trace-otlp-proto)',
      '^src/tracing/',
    ),
    only('tracing', '^src/tracing/', L0, 'collects spans, whatever they are about'),
    oneFolder('commander-in-cli', 'commander|cli-progress', '^src/cli/'),
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '^(src|jobs)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs'], exportsFields: ['exports'] },
  },
}
