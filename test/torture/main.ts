/**
 * Random exports and random faults against real processes, then an audit:
 * `npm run torture [-- --minutes N] [--seconds N] [--seed S]`, by default ten minutes. Two PostgreSQL
 * clusters, an S3 server, `longhaul serve` and three `longhaul worker`, and proxies between them; all of them
 * are killed and disturbed again and again while exports are requested, canceled and downloaded. In the
 * end every completed artifact is compared with the database, and nothing may be left behind. Prints what
 * happened, and a line for every promise that was broken; any makes it end with exit code 1.
 */
import { exposeToAwsSdk } from '../../src/config.ts'
import { listenForShutdown } from '../../src/runtime/shutdown.ts'
import { parseOptions } from './options.ts'
import { torture } from './torture.ts'

// says nothing of Node 20
exposeToAwsSdk({})
const print = (line: string) => void process.stdout.write(`${line}\n`)
const shutdown = listenForShutdown()
const whole = await torture(parseOptions(process.argv.slice(2)), { print, signal: shutdown.signal })
shutdown.dispose()
process.exitCode = shutdown.signal.aborted ? 130 : whole ? 0 : 1
