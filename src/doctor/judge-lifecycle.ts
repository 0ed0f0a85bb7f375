import { ok, skipped, warning, type Verdict } from './finding.ts'
import type { BucketUse } from './judge-bucket.ts'
import type { LifecycleRule } from './ports.ts'

const daySeconds = 24 * 3600

type Use = Pick<BucketUse, 'folder' | 'maxSeconds' | 'artifactTtlDays'>

/**
 * Rules are the net below the sweep: there should be one for uploads that nobody aborts any more, and none may
 * take away what is still needed. Undefined: nobody tells. Pure.
 */
export function judgeLifecycle(
  rules: readonly LifecycleRule[] | undefined,
  { folder, maxSeconds, artifactTtlDays }: Use,
): readonly Verdict[] {
  if (rules === undefined) {
    return [skipped('the store, or the policy, does not tell lifecycle rules')]
  }
  const early = rules
    .filter(({ prefix }) => meets(prefix, folder))
    .flatMap((rule) => {
      const { id, abortUploadsDays = Infinity, expireDays = Infinity } = rule
      return [
        ...(abortUploadsDays * daySeconds < maxSeconds
          ? [
              warning(
                `the lifecycle rule ${JSON.stringify(id)} aborts uploads after ${abortUploadsDays} days, while exports may still run`,
                'Let it come later than EXPORT_MAX_SECONDS.',
              ),
            ]
          : []),
        ...(expireDays <= artifactTtlDays
          ? [
              warning(
                `the lifecycle rule ${JSON.stringify(id)} removes objects after ${expireDays} days, while artifacts are still needed`,
                'Let it come later than ARTIFACT_TTL_DAYS.',
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

/** Whether some key begins with both. */
const meets = (one: string, other: string) => one.startsWith(other) || other.startsWith(one)
