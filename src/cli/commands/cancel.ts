import { createClient } from '../../client/client.ts'
import { parseClientConfig } from '../../config.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { createOutput } from '../output.ts'

export const cancelCommand: BuildCommand = (readEnvironment) =>
  newCommand('cancel', 'cancel a queued or running export')
    .argument('<id>', 'of the export')
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      const view = await createClient(parseClientConfig(readEnvironment())).cancel(id)
      createOutput({ json }).result(view, [`Export ${id} is canceled.`])
    })
