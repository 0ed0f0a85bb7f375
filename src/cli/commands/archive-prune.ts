import type { Command } from 'commander'
import { exposeToAwsSdk, parseConfig } from '../../config.ts'
import { createLogger } from '../../logger.ts'
import { listenForShutdown } from '../../runtime/shutdown.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { foundProblem } from '../exit-codes.ts'
import { createOutput } from '../output.ts'
import {
  announcePrune,
  describeKept,
  describeOne,
  describePruned,
  describeSum,
  keepMeaning,
  viewPruned,
} from '../prune-display.ts'

interface Options {
  readonly json?: boolean
  readonly archive?: string
  readonly keep?: string
  readonly apply: boolean
}

export const archivePruneCommand: BuildCommand = (readEnvironment) =>
  newCommand('prune', 'show what the policies of the archives do not keep, or delete it')
    .option('--archive <name>', 'of this archive only')
    .option('--keep <policy>', 'as if this were the policy, such as "daily 35, monthly 24"')
    .option('--apply', 'delete it, and let the nightly archive delete by this policy', false)
    .addHelpText(
      'after',
      `\n${keepMeaning}\nWithout --apply nothing is changed. Ends with 1 when a window could not be deleted.`,
    )
    .action(async ({ json = false, ...options }: Options, self: Command) => {
      const { apply, keep } = options
      if (apply && keep !== undefined) {
        self.error(
          'error: --keep is for a look only: set ARCHIVE_KEEP, or keep in ARCHIVES_FILE, to apply it',
        )
      }
      const environment = readEnvironment()
      const config = parseConfig(environment)
      exposeToAwsSdk(environment)
      const { pruneArchives } = await import('../../compose-retention.ts')
      const output = createOutput({ json })
      const shutdown = listenForShutdown()
      try {
        const archives = await pruneArchives(config, createLogger({ level: 'warn' }), {
          ...{ ...options, signal: shutdown.signal },
          // a look says all at its end; what is deleted is told at once, as much of it as there is when somebody ends it
          ...(apply
            ? {
                onPlan: (plan) => output.note(announcePrune(plan)),
                onWindow: (pruned) => output.note(describeOne(pruned)),
              }
            : {}),
        })
        const deletes = archives.some(({ pruned }) => pruned.length > 0)
        const lines = archives.flatMap(({ plan, pruned }) => [
          ...describeKept(plan),
          ...describePruned(pruned),
          describeSum(pruned, apply),
        ])
        const next =
          keep === undefined
            ? 'Nothing was deleted. With --apply it is, and the nightly archive goes on by this policy.'
            : 'Nothing was deleted: this policy is not configured.'
        output.result({ applied: apply, archives: archives.map(viewPruned) }, [
          ...(lines.length === 0 ? ['Nothing is archived yet.'] : lines),
          ...(deletes && !apply ? [keepMeaning, next] : []),
        ])
        const found = archives.flatMap(({ pruned }) => pruned)
        if (found.some(({ problem }) => problem !== undefined)) process.exitCode = foundProblem
      } finally {
        shutdown.dispose()
      }
    })
