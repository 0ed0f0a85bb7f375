import { ok, problem, warning, type Verdict } from './finding.ts'
import type { CopiedProbe, CredentialFacts, FetchedLink, StoredProbe } from './bucket-ports.ts'

export interface BucketUse {
  /** Where everything of Longhaul is: `exports/`. */
  readonly folder: string
  readonly linkTtlSeconds: number
  /** Whether links have another address than what uploads. */
  readonly otherLinkAddress: boolean
  readonly maxSeconds: number
  readonly artifactTtlDays: number
  /** What is asked of the store for each object, by name of the variable. */
  readonly settings: Readonly<Record<string, string | undefined>>
}

/** Pure. */
export function judgeCredentials(
  { expiresAt }: CredentialFacts,
  { linkTtlSeconds }: Pick<BucketUse, 'linkTtlSeconds'>,
  now: Date,
): Verdict {
  if (expiresAt === undefined) return ok('found; they do not end by themselves')
  const left = Math.round((expiresAt.getTime() - now.getTime()) / 1000)
  const found = `found; they end in ${left} s, unless they are renewed`
  return left < linkTtlSeconds
    ? warning(
        `${found}: links that they sign end with them`,
        'Give the machine credentials that last longer, or set LINK_TTL_SECONDS lower.',
      )
    : ok(found)
}

/** Pure. */
export function judgeStored(
  stored: StoredProbe | undefined,
  { settings }: Pick<BucketUse, 'settings'>,
): Verdict {
  if (stored === undefined) {
    return problem(
      'the object that was stored is not there',
      'Use a store that shows an object as soon as it is stored.',
    )
  }
  if (!stored.whole) {
    return problem(
      'the object that was stored has another size',
      'See what is between: something changes what passes.',
    )
  }
  // a store names no class for that of most objects
  const ignored = Object.entries(settings).filter(
    ([name, value]) =>
      value !== undefined && value !== 'STANDARD' && stored.settings[name] !== value,
  )
  return ignored.length === 0
    ? ok('the object is there')
    : warning(
        `the store does not say that the object has ${ignored.map(([name]) => name).join(' and ')}`,
        'See whether this store knows such a setting.',
      )
}

/** Pure. */
export function judgeLink(
  fetched: FetchedLink | { readonly unreachable: string },
  place: string,
  { otherLinkAddress }: Pick<BucketUse, 'otherLinkAddress'>,
): Verdict {
  if ('unreachable' in fetched) {
    const found = `nobody answers at ${place}, where links lead: ${fetched.unreachable}`
    return otherLinkAddress
      ? warning(found, 'It may be an address for others only: fetch a link from where they are.')
      : problem(found, 'Check S3_ENDPOINT and S3_LINK_ENDPOINT.')
  }
  const { statuses, same } = fetched
  const [whole, some] = statuses
  if (whole !== 200 || (some !== 206 && some !== 200)) {
    return problem(
      `the store answers a link at ${place} with status ${whole}, for a part of it ${some}`,
      "Check this machine's clock, S3_REGION, that S3_LINK_ENDPOINT is the same store, and that a proxy leaves host and query as they are.",
    )
  }
  if (!same) {
    return problem(
      `what a link at ${place} leads to is not what was stored`,
      'See what is between: something changes what passes.',
    )
  }
  return some === 206
    ? ok(`a link at ${place} leads to the object, and to a part of it`)
    : warning(
        `a link at ${place} leads to the object, but never to a part of it`,
        'Let a proxy pass the header Range on: a download that breaks begins anew.',
      )
}

/** Of what is archived, which is copied when it is archived anew. Pure. */
export function judgeCopied(copied: CopiedProbe): Verdict {
  const need = '`longhaul archive check --repair` puts a later generation in its place by that.'
  switch (copied) {
    case 'whole':
      return ok('the store can copy an object')
    case 'damaged':
      return problem(
        'the copy that the store made of an object is not there, or has another size',
        `Use a store that shows an object as soon as it is copied: ${need}`,
      )
    case 'impossible':
      return problem('the store cannot copy an object', `Use one with CopyObject: ${need}`)
  }
}

/** Pure. */
export const judgeRemoved = ({ keepsVersions }: { readonly keepsVersions: boolean }): Verdict =>
  keepsVersions
    ? warning(
        'the object can be removed, but the bucket keeps it as an old version',
        'Add NoncurrentVersionExpiration to the lifecycle rule: else expired artifacts stay, and are paid for.',
      )
    : ok('the object can be removed')
