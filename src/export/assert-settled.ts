import { SourceError } from '../errors.ts'
import type { ExportRecord, Standby } from './model.ts'
import type { Snapshot } from './ports.ts'

/** Whether what is read of an archive by then is all that there was to come. */
export const hasReplayed = (standby: Standby | undefined, settledAt: Date): boolean =>
  standby === undefined || (standby.replayedAt !== undefined && standby.replayedAt >= settledAt)

/**
 * Of an archived window, a standby must have replayed its end and the settling time: before, it shows less than there is.
 * @throws SourceError
 */
export function assertSettled(
  { archive }: Pick<ExportRecord, 'archive'>,
  { standby }: Pick<Snapshot, 'standby'>,
): void {
  const { settledAt } = archive ?? {}
  if (settledAt === undefined || hasReplayed(standby, new Date(settledAt))) return
  const { replayedAt } = standby ?? {}
  throw new SourceError(
    'SOURCE_BEHIND',
    `The source database is a standby that ${replayedAt === undefined ? 'does not say what it has replayed' : `has replayed up to ${replayedAt.toISOString()}`}: ` +
      `the window is read once that is ${settledAt} or later.`,
    {
      hint: 'Wait until it has caught up, or point SOURCE_DATABASE_URL to the primary. A primary on which nothing is committed lets no standby get on.',
    },
  )
}
