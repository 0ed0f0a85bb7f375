// Requests an export, waits for it, and downloads it: by the client, which needs a server and nothing else.
//
//   node docs/examples/export-and-download.mjs 2014-07-22T12:00:00Z 2014-07-22T18:00:00Z services.json
//
// LONGHAUL_URL says where the server is, LONGHAUL_API_KEY who asks.
import { createClient } from 'longhaul'

// Ctrl-C stops the waiting or the download, which then leaves no half file; the export goes on
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

const [from, to, file] = process.argv.slice(2)
const client = createClient({
  url: process.env.LONGHAUL_URL ?? 'http://127.0.0.1:8080',
  apiKey: process.env.LONGHAUL_API_KEY,
})

// the same key with the same request never makes two exports: this script may be run again
const requested = await client.request(
  { time_from: from, time_to: to, export_content: true },
  { idempotencyKey: `example-${from}-${to}` },
)
const finished = await client.wait(requested.id, {
  signal: stop.signal,
  onProgress: ({ state, progress }) => console.error(`${state}: ${progress.rows} rows`),
})
if (finished.state !== 'completed') {
  console.error(`Export ${finished.id} is ${finished.state}: ${finished.error?.message ?? ''}`)
  process.exit(1)
}
console.log(await client.download(finished.id, { file, signal: stop.signal }))
