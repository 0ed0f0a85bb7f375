// Requests an export from a process that can reach the control database, without a server in between.
//
//   node docs/examples/request-in-process.mjs 2014-07-22T12:00:00Z 2014-07-22T18:00:00Z
//
// DATABASE_URL is the control database, REDIS_URL the queue where server and worker have it; one of
// their workers runs the export.
import { createEnqueuer } from 'longhaul/enqueue'

const [from, to] = process.argv.slice(2)
const { DATABASE_URL: databaseUrl, REDIS_URL: url, REDIS_PREFIX: prefix } = process.env
const redis = url ? { url, prefix } : undefined
const exports = await createEnqueuer({ databaseUrl, redis })
try {
  const { record } = await exports.requestExport({ time_from: from, time_to: to })
  console.log(record.id, record.state)
} finally {
  await exports.close()
}
