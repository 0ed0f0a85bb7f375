import { ok, problem, skipped, warning, type Verdict } from './finding.ts'
import type { BucketUse } from './judge-bucket.ts'
import type { LifecycleRule } from './bucket-ports.ts'

const daySeconds = 24 * 3600

type Use = Pick<BucketUse, 'folder' | 'maxSeconds' | 'artifactTtlDays'>

const untold = skipped('the store, or the policy, does not tell lifecycle rules')

/**
 * Rules are the net below the sweep: there should be one for uploads that nobody aborts any more, and none may
 * take away what is still needed. Undefined: nobody tells. Pure.
 */
export function judgeLifecycle(
  rules: readonly LifecycleRule[] | undefined,
  { folder, maxSeconds, artifactTtlDays }: Use,
): readonly Verdict[] {
  if (rules === undefined) return [untold]
  const early = rules
    .filter(({ prefix }) => meets(prefix, folder))
    .flatMap((rule) => {
      const { abortUploadsDays = Infinity, expireDays = 0 } = rule
      const when = expiryOf(rule)
      return [
        ...(abortUploadsDays * daySeconds < maxSeconds
          ? [
              warning(
                `${nameOf(rule)} aborts uploads after ${abortUploadsDays} days, while exports may still run`,
                'Let it come later than EXPORT_MAX_SECONDS.',
              ),
            ]
          : []),
        ...(when !== undefined && expireDays <= artifactTtlDays
          ? [
              warning(
                `${nameOf(rule)} removes objects ${when}, while artifacts are still needed`,
                'Let it come more than ARTIFACT_TTL_DAYS days after an object was stored.',
              ),
            ]
          : []),
      ]
    })
  const net = rules.find(
    ({ prefix, partial, abortUploadsDays }) =>
      folder.startsWith(prefix) && !partial && abortUploadsDays !== undefined,
  )
  return [
    net === undefined
      ? warning(
          `no lifecycle rule aborts uploads below ${folder} that were never completed`,
          'Add one with AbortIncompleteMultipartUpload (docs/operations.md), for the day on which no worker runs.',
        )
      : ok(`uploads that were never completed are aborted after ${net.abortUploadsDays} days`),
    ...early,
  ]
}

interface ArchivesUse {
  /** Below it are all archives. */
  readonly folder: string
  /** Of the archives that are known. */
  readonly names: readonly string[]
}

/**
 * No rule may take away what is archived, however late: the ledger would go on to say that it is there. Rules that
 * abort uploads are as good here as elsewhere. Undefined: nobody tells. Pure.
 */
export function judgeArchiveLifecycle(
  rules: readonly LifecycleRule[] | undefined,
  { folder, names }: ArchivesUse,
): readonly Verdict[] {
  if (rules === undefined) return [untold]
  const folders = [folder, ...names.map((name) => `${folder}${name}/`)]
  const expiring = rules.flatMap((rule) => {
    const when = expiryOf(rule)
    if (when === undefined || !meets(rule.prefix, folder)) return []
    const whole = rule.partial ? undefined : folders.find((each) => each.startsWith(rule.prefix))
    const advice = `Leave what is below ${folder} out of this rule; ARCHIVE_KEEP says how long it is kept.`
    return [
      whole === undefined
        ? warning(`${nameOf(rule)} removes some of what is below ${folder} ${when}`, advice)
        : problem(`${nameOf(rule)} removes all that is below ${whole} ${when}`, advice),
    ]
  })
  return expiring.length > 0 ? expiring : [ok(`no lifecycle rule removes what is below ${folder}`)]
}

const nameOf = ({ id }: LifecycleRule) => `the lifecycle rule ${JSON.stringify(id)}`

/** When a rule removes objects; undefined: never. */
function expiryOf({ expireDays, expireDate }: LifecycleRule): string | undefined {
  if (expireDays !== undefined) return `after ${expireDays} days`
  return expireDate === undefined ? undefined : `from ${expireDate} on`
}

/** Whether some key begins with both. */
const meets = (one: string, other: string) => one.startsWith(other) || other.startsWith(one)
