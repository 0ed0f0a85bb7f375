import { ok, problem, skipped, type Verdict } from './finding.ts'
import { judgeLink } from './judge-bucket.ts'
import type { FetchedLink } from './bucket-ports.ts'
import type { ArchiveFacts } from './ports.ts'

const calendarOf = ({ unit, timeZone }: ArchiveFacts) => `by the ${unit}, ${timeZone}`

/** Each in short. Pure. */
export const describeArchives = (archives: readonly ArchiveFacts[]): string =>
  archives.map((archive) => `${archive.name} ${calendarOf(archive)}`).join('; ')

/** The calendar of an archive is settled when it begins. Pure. */
export function judgeCalendars(
  defined: readonly ArchiveFacts[],
  kept: readonly ArchiveFacts[],
): readonly Verdict[] {
  const pairs = defined.flatMap((archive) => {
    const entered = kept.find(({ name }) => name === archive.name)
    return entered === undefined ? [] : [{ archive, entered }]
  })
  const moved = pairs.filter(({ archive, entered }) => calendarOf(archive) !== calendarOf(entered))
  if (moved.length > 0) {
    return moved.map(({ archive, entered }) =>
      problem(
        `the ledger keeps ${archive.name} ${calendarOf(entered)}, and cannot go on ${calendarOf(archive)}: workers refuse to start`,
        'Set window and time zone back (ARCHIVE_TIMEZONE, or in ARCHIVES_FILE), or give the archive another name.',
      ),
    )
  }
  return [
    ok(
      pairs.length === 0
        ? 'the ledger has nothing of them yet'
        : 'the ledger keeps them by the same windows and time zones',
    ),
  ]
}

/** What is wrong with links to exports was told there: this is about reading below the folder. Pure. */
export function judgeArchiveLink(
  fetched: FetchedLink | { readonly unreachable: string },
  { folder, linkPlace }: { readonly folder: string; readonly linkPlace: string },
): Verdict {
  if ('unreachable' in fetched) return skipped('nobody answers where links lead')
  const [whole] = fetched.statuses
  return whole === 403
    ? problem(
        `the store answers a link to an object below ${folder} with status 403`,
        `Allow s3:GetObject below ${folder} in the policy of these credentials.`,
      )
    : judgeLink(fetched, linkPlace, { otherLinkAddress: false })
}

/** Old versions of what is archived are no waste: they are what is left after a mistake. Pure. */
export const judgeArchiveRemoved = ({
  keepsVersions,
}: {
  readonly keepsVersions: boolean
}): Verdict =>
  ok(
    keepsVersions
      ? 'the objects can be removed; the bucket keeps them as old versions'
      : 'the objects can be removed',
  )
