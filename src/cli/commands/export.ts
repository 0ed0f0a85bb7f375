import { createClient, type Client, type ExportRequestBody } from '../../client/client.ts'
import { parseClientConfig } from '../../config.ts'
import type { Compression } from '../../encode/compression.ts'
import type { Format } from '../../encode/format.ts'
import type { EventFilter, StateFilter } from '../../datasets/dataset.ts'
import { InterruptedError, SpecError } from '../../errors.ts'
import type { ExportView } from '../../http/schemas.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { downloadWithProgress } from '../download-with-progress.ts'
import { exportFailure } from '../export-failure.ts'
import { createOutput, describeExport, formatBytes, type Output } from '../output.ts'
import { createProgressDisplay } from '../progress.ts'

interface Options {
  readonly json?: boolean
  readonly dataset?: string
  readonly from: string
  readonly to?: string
  /** The server checks what was said. */
  readonly events?: EventFilter
  readonly state?: StateFilter
  readonly content?: boolean
  readonly format?: Format
  readonly compression?: Compression
  readonly idempotencyKey?: string
  readonly wait?: boolean
  readonly output?: string
  readonly gunzip?: boolean
}

export const exportCommand: BuildCommand = (readEnvironment) =>
  newCommand('export', 'request an export')
    .requiredOption('--from <time>', 'start of the range, inclusive: 2014-07-22T12:00:00.000Z')
    .option('--to <time>', 'end of the range, exclusive (default: now)')
    .option('--dataset <name>', 'kind of record (default: services)')
    .option(
      '--events <which>',
      'event that must fall in the range: any, started, completed (default: any)',
    )
    .option('--state <state>', 'any, active, inactive (default: any; needs --content)')
    .option('--content', 'whole services instead of ids')
    .option('--format <which>', 'json: one array; ndjson: a line for each (default: json)')
    .option('--compression <how>', 'of the artifact: none, gzip, zstd (default: none)')
    .option('--idempotency-key <key>', 'the same key never makes two exports')
    .option('--wait', 'wait until it has finished, showing progress')
    .option('--output <file>', 'wait, then download to this file')
    .option(
      '--gunzip',
      'with --output: unpack a gzip artifact once it is verified; changes nothing for any other one',
    )
    .action(async (options: Options) => {
      const output = createOutput({ json: options.json ?? false })
      if (options.gunzip === true && options.output === undefined) throw gunzipNeedsOutput()
      const client = createClient(parseClientConfig(readEnvironment()))
      const requested = await client.request(requestBody(options), {
        idempotencyKey: options.idempotencyKey,
      })
      if (options.wait !== true && options.output === undefined) {
        output.result(requested, [`Export ${requested.id} is ${requested.state}.`])
        return
      }
      output.note(`Export ${requested.id}`)
      const shutdown = listenForShutdown()
      try {
        await waitAndFetch(client, requested.id, options, output, shutdown.signal)
      } finally {
        shutdown.dispose()
      }
    })

const gunzipNeedsOutput = () =>
  new SpecError('SPEC_INVALID', '--gunzip: expected together with --output, which downloads.', {
    hint: 'Name a file with --output, or leave --gunzip out.',
  })

async function waitAndFetch(
  client: Client,
  id: string,
  { output: file, gunzip }: Options,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const finished = await waitForEnd(client, id, output.json, signal)
  if (finished.state !== 'completed') throw exportFailure(finished)
  if (file === undefined) {
    output.result(finished, describeExport(finished))
    return
  }
  const { bytes } = await downloadWithProgress(client, id, {
    ...{ file, gunzip, signal },
    quiet: output.json,
  })
  output.result({ ...finished, file }, [
    ...describeExport(finished),
    `file      ${file} (${formatBytes(bytes)}, SHA-256 verified)`,
  ])
}

/** Only what was said: the server knows the defaults. */
const requestBody = ({
  from,
  to,
  dataset,
  events,
  state,
  content,
  format,
  compression,
}: Options): ExportRequestBody => ({
  time_from: from,
  ...(to === undefined ? {} : { time_to: to }),
  ...(dataset === undefined ? {} : { dataset }),
  ...(events === undefined ? {} : { filter_events: events }),
  ...(state === undefined ? {} : { filter_state: state }),
  ...(content === undefined ? {} : { export_content: content }),
  ...(format === undefined ? {} : { format }),
  ...(compression === undefined ? {} : { compression }),
})

/** Waits, with progress on stderr. Ctrl-C ends the waiting, not the export. */
async function waitForEnd(
  client: Client,
  id: string,
  quiet: boolean,
  signal: AbortSignal,
): Promise<ExportView> {
  const progress = quiet ? undefined : createProgressDisplay()
  try {
    return await client.wait(id, { signal, onProgress: (view) => progress?.update(view) })
  } catch (error) {
    if (!signal.aborted) throw error
    throw new InterruptedError(`Stopped waiting; export ${id} goes on.`, {
      hint: `Look at it with \`longhaul status ${id}\`, or end it with \`longhaul cancel ${id}\`.`,
    })
  } finally {
    progress?.stop()
  }
}
