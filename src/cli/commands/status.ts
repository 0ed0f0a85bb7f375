import { createClient } from '../../client/client.ts'
import { parseClientConfig } from '../../config.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput, describeExport } from '../output.ts'

export const statusCommand: BuildCommand = (readEnvironment) =>
  newCommand('status', 'show one export, and its link once there is one')
    .argument('<id>', 'of the export')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const view = await createClient(parseClientConfig(readEnvironment())).status(id)
      createOutput({ json }).result(view, describeExport(view))
    })
