import { startExportWorker } from '../../compose.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { runService } from '../run-service.ts'

export const workerCommand: BuildCommand = (readEnvironment) =>
  newCommand('worker', 'run exports until stopped').action(() =>
    runService(readEnvironment(), startExportWorker),
  )
