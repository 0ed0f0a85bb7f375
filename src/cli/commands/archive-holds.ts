import type { Command } from 'commander'
import type { HoldRequest } from '../../archive/holds.ts'
import { parseDatabaseConfig } from '../../config.ts'
import { newCommand, type BuildCommand } from '../command.ts'
import { describeHold, viewHold } from '../hold-display.ts'
import { createOutput, formatCount } from '../output.ts'
import { wholeNumber } from '../parse-options.ts'

interface Common {
  readonly json?: boolean
}

/** `longhaul archive hold`: nothing of a range of dates is deleted. */
export const archiveHoldCommand: BuildCommand = (readEnvironment) =>
  newCommand('hold', 'keep the windows of a range of dates from being deleted, whatever the policy')
    .option('--archive <name>', 'of this archive (required)')
    .option('--from <date>', 'first local date (required)')
    .option('--to <date>', 'last local date (default: all that follow, too)')
    .option('--reason <text>', 'why (required)')
    .action(async ({ json = false, ...given }: Common & Partial<HoldRequest>, self: Command) => {
      const { archive, from, to, reason } = given
      if (archive === undefined || from === undefined || reason === undefined) {
        const missing = Object.entries({ archive, from, reason }).find(([, value]) => !value)
        self.error(`error: required option '--${missing?.[0] ?? ''}' not specified`)
      }
      const { withHolds } = await import('../../compose-retention.ts')
      const { placeHold } = await import('../../archive/holds.ts')
      const placed = await withHolds(databaseOf(readEnvironment), (deps, now) =>
        placeHold(deps, { archive, from, to, reason }, now),
      )
      const output = createOutput({ json })
      const { archived, deleted } = placed
      if (deleted.length > 0) {
        const names = deleted.map(({ name }) => name).join(', ')
        output.note(`Deleted before, and not brought back: ${names}`)
      }
      const views = deleted.map(({ name }) => name)
      output.result({ ...viewHold(placed), archived, deleted: views }, [
        `${describeHold(placed)}; ${formatCount(archived)} of its windows ${archived === 1 ? 'is' : 'are'} archived`,
      ])
    })

/** `longhaul archive release`: they may be deleted again. */
export const archiveReleaseCommand: BuildCommand = (readEnvironment) =>
  newCommand('release', 'end a hold: the policy counts again')
    .argument('<hold>', 'its number', wholeNumber)
    .action(async (id: number, { json = false }: Common) => {
      const { withHolds } = await import('../../compose-retention.ts')
      const { releaseHold } = await import('../../archive/holds.ts')
      const released = await withHolds(databaseOf(readEnvironment), (deps, now) =>
        releaseHold(deps, id, now),
      )
      createOutput({ json }).result(viewHold(released), [`released: ${describeHold(released)}`])
    })

/** `longhaul archive holds`: which there are. */
export const archiveHoldsCommand: BuildCommand = (readEnvironment) =>
  newCommand('holds', 'list what is held')
    .option('--archive <name>', 'of this archive only')
    .action(async ({ json = false, archive }: Common & { readonly archive?: string }) => {
      const { withHolds } = await import('../../compose-retention.ts')
      const { listHolds } = await import('../../archive/holds.ts')
      const holds = await withHolds(databaseOf(readEnvironment), (deps) => listHolds(deps, archive))
      const lines = holds.length === 0 ? ['Nothing is held.'] : holds.map(describeHold)
      createOutput({ json }).result({ holds: holds.map(viewHold) }, lines)
    })

const databaseOf = (readEnvironment: Parameters<BuildCommand>[0]) =>
  parseDatabaseConfig(readEnvironment()).databaseUrl
