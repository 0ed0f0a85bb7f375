/** What is asked of the bucket, as in ports.ts. */
import type { Asking, ClockReading } from './ports.ts'

export interface CredentialFacts {
  /** Undefined: they do not end by themselves. */
  readonly expiresAt: Date | undefined
}

export interface StoredProbe {
  /** Whether it has as many bytes as were stored. */
  readonly whole: boolean
  /** What the store says of it, by name of the variable that asked for it: `S3_ENCRYPTION`. */
  readonly settings: Readonly<Record<string, string | undefined>>
}

export interface FetchedLink {
  /** Of the answer to the whole, and to a part of it. */
  readonly statuses: readonly [whole: number, part: number]
  /** Whether they were the bytes that had been stored. */
  readonly same: boolean
}

export interface LifecycleRule {
  readonly id: string
  /** Of the keys that it is for. */
  readonly prefix: string
  /** It is for some of them only, such as those with a tag. */
  readonly partial: boolean
  readonly abortUploadsDays: number | undefined
  readonly expireDays: number | undefined
  /** From which day on it removes whatever is there, `2027-01-01`. */
  readonly expireDate: string | undefined
}

/** `impossible`: the store knows no such request. */
export type CopiedProbe = 'whole' | 'damaged' | 'impossible'

/** One small object and one small upload under a key of their own; where a right is missing, the error names it. */
export interface BucketInspection {
  /** `exports at http://127.0.0.1:9000`. */
  readonly place: string
  /** Where links lead. */
  readonly linkPlace: string
  credentials(asking: Asking): Promise<CredentialFacts>
  /** Whether the store knows us and the bucket; what we may do there is asked by the others. */
  answer(asking: Asking): Promise<ClockReading | undefined>
  list(asking: Asking): Promise<void>
  listUploads(asking: Asking): Promise<void>
  put(asking: Asking): Promise<void>
  stat(asking: Asking): Promise<StoredProbe | undefined>
  /** @returns undefined where nobody answered */
  fetchLink(asking: Asking): Promise<FetchedLink | { readonly unreachable: string }>
  /** Has the store copy the object, to a key beside it. */
  copy(asking: Asking): Promise<CopiedProbe>
  /** Its copy, too. @returns whether the store keeps what was removed as an old version */
  remove(asking: Asking): Promise<{ readonly keepsVersions: boolean }>
  createUpload(asking: Asking): Promise<void>
  sendPart(asking: Asking): Promise<void>
  abortUpload(asking: Asking): Promise<void>
  /** Undefined: the store, or a policy, does not let us ask. */
  lifecycle(asking: Asking): Promise<readonly LifecycleRule[] | undefined>
}
