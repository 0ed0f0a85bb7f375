import { createClient } from '../../client/client.ts'
import { parseClientConfig } from '../../config.ts'
import type { ExportView } from '../../http/schemas.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput, formatBytes, formatCount } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface Options {
  readonly json?: boolean
  readonly state?: string
  readonly limit: number
  readonly cursor?: string
}

export const listCommand: BuildCommand = (readEnvironment) =>
  newCommand('list', 'list exports, newest first')
    .option('--state <state>', 'only exports in this state')
    .option('--limit <n>', 'how many (1 to 100)', wholeNumber, 20)
    .option('--cursor <cursor>', 'next_cursor of the page before')
    .action(async ({ json = false, state, limit, cursor }: Options) => {
      const client = createClient(parseClientConfig(readEnvironment()))
      const page = await client.list({ state, limit, cursor })
      const lines = page.exports.length === 0 ? ['There are no exports.'] : page.exports.map(line)
      const more = page.next_cursor === null ? [] : [`More: --cursor ${page.next_cursor}`]
      createOutput({ json }).result(page, [...lines, ...more])
    })

const line = ({ id, state, held_back, created_at, progress, request }: ExportView) =>
  [
    id,
    (held_back ? 'held back' : state).padEnd(9),
    created_at.slice(0, 19).replace('T', ' '),
    formatCount(progress.rows).padStart(12),
    formatBytes(progress.bytes).padStart(9),
    `${request.time_from} to ${request.time_to}`,
  ].join('  ')
