import { basename } from 'node:path'
import { createClient } from '../../client/client.ts'
import { download } from '../../client/download.ts'
import { parseClientConfig } from '../../config.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput, formatBytes } from '../output.ts'

interface Options {
  readonly json?: boolean
  readonly output?: string
}

export const downloadCommand: BuildCommand = (readEnvironment) =>
  newCommand('download', 'fetch the artifact of a completed export, and verify it')
    .argument('<id>', 'of the export')
    .option('--output <file>', "where to put it (default: the artifact's name, in this folder)")
    .action(async (id: string, { json = false, output: file }: Options) => {
      const view = await createClient(parseClientConfig(readEnvironment())).status(id)
      const name = file ?? basename(view.artifact?.key ?? id)
      const shutdown = listenForShutdown()
      const received = await download(view, { file: name, signal: shutdown.signal }).finally(() =>
        shutdown.dispose(),
      )
      createOutput({ json }).result(received, [
        `${received.file}: ${formatBytes(received.bytes)}, SHA-256 ${received.sha256} (verified)`,
      ])
    })
