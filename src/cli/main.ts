#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { readEnvironment } from '../config.ts'
import { errorFacts } from '../errors.ts'
import { version } from '../version.ts'
import { archiveCommand } from './commands/archive.ts'
import { cancelCommand } from './commands/cancel.ts'
import { demoCommand } from './commands/demo.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downloadCommand } from './commands/download.ts'
import { exportCommand } from './commands/export.ts'
import { keysCommand } from './commands/keys.ts'
import { listCommand } from './commands/list.ts'
import { migrateCommand } from './commands/migrate.ts'
import { seedCommand } from './commands/seed.ts'
import { serveCommand } from './commands/serve.ts'
import { statusCommand } from './commands/status.ts'
import { sweepCommand } from './commands/sweep.ts'
import { verifyCommand } from './commands/verify.ts'
import { workerCommand } from './commands/worker.ts'
import { exitCodeHelp, exitCodeOf } from './exit-codes.ts'
import { describeError } from './output.ts'

const usageError = 64

function buildProgram(): Command {
  const program = new Command('longhaul')
    .description('Exports time ranges of records from PostgreSQL to S3 as background jobs.')
    .version(version)
    // options behind a sub-command are its own, also where the command above it has some of the same name
    .enablePositionalOptions()
    .addHelpText('after', exitCodeHelp)
  const commands = [
    ...[demoCommand, devCommand, migrateCommand, seedCommand, serveCommand, workerCommand],
    ...[exportCommand, statusCommand, listCommand, downloadCommand, cancelCommand],
    ...[archiveCommand, verifyCommand, sweepCommand, keysCommand, doctorCommand],
  ]
  for (const build of commands) program.addCommand(build(readEnvironment))
  // also for the sub-commands: a wrong command line throws, and ends below with exit code 64
  for (const command of withSubCommands(program)) command.exitOverride()
  return program
}

const withSubCommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(withSubCommands),
]

/** The one place that turns an error into an exit code. */
async function main(): Promise<void> {
  try {
    await buildProgram().parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      // help and version end this way, too; commander has written what there is to say
      process.exitCode = error.exitCode === 0 ? 0 : usageError
      if (error.exitCode !== 0) printJsonError({ code: 'USAGE', message: error.message })
      return
    }
    printJsonError(errorFacts(error))
    process.stderr.write(`${describeError(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

/** With --json stdout has one document, also for an error. */
function printJsonError(error: object): void {
  if (!process.argv.includes('--json')) return
  process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`)
}

await main()
