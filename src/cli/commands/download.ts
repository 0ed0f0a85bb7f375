import { createClient } from '../../client/client.ts'
import { parseClientConfig } from '../../config.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { downloadWithProgress } from '../download-with-progress.ts'
import { createOutput, formatBytes } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly output?: string
  readonly gunzip?: boolean
}

export const downloadCommand: BuildCommand = (readEnvironment) =>
  newCommand('download', 'fetch the artifact of a completed export, and verify it')
    .argument('<id>', 'of the export')
    .option('--output <file>', "where to put it (default: the artifact's name, in this folder)")
    .option(
      '--gunzip',
      'unpack a gzip artifact once it is verified; changes nothing for any other one',
    )
    .action(async (id: string, { json = false, output: file, gunzip }: Options) => {
      const client = createClient(parseClientConfig(readEnvironment()))
      const shutdown = listenForShutdown()
      const options = { file, gunzip, signal: shutdown.signal }
      const received = await downloadWithProgress(client, id, { ...options, quiet: json }).finally(
        () => shutdown.dispose(),
      )
      createOutput({ json }).result(received, [
        `${received.file}: ${formatBytes(received.bytes)}, SHA-256 ${received.sha256} (verified)`,
      ])
    })
