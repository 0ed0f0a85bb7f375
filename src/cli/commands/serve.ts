import { startServer } from '../../compose.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { runService } from '../run-service.ts'

export const serveCommand: BuildCommand = (readEnvironment) =>
  newCommand('serve', 'answer HTTP requests until stopped').action(() =>
    runService(readEnvironment(), startServer),
  )
