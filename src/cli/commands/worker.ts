import { newCommand, type BuildCommand } from '../command.ts'
import { runService } from '../run-service.ts'

export const workerCommand: BuildCommand = (readEnvironment) =>
  newCommand('worker', 'run exports until stopped').action(async () => {
    // loaded only here: the commands that talk to a server start without database and queue
    const { startExportWorker } = await import('../../compose-worker.ts')
    await runService(readEnvironment(), { name: 'longhaul-worker', start: startExportWorker })
  })
