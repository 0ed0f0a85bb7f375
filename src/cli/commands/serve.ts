import { newCommand, type BuildCommand } from '../command.ts'
import { runService } from '../run-service.ts'

export const serveCommand: BuildCommand = (readEnvironment) =>
  newCommand('serve', 'answer HTTP requests until stopped').action(async () => {
    // loaded only here: the commands that talk to a server start without database and queue
    const { startServer } = await import('../../compose.ts')
    await runService(readEnvironment(), { name: 'longhaul-server', start: startServer })
  })
