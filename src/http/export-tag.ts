import { createHash } from 'node:crypto'
import type { Link } from '../export/ports.ts'
import type { ExportView } from './schemas.ts'

/** What tells two answers about an export apart. @param view without its artifact, whose link tells nothing */
export const digestOf = (view: ExportView): string =>
  createHash('sha256').update(JSON.stringify(view)).digest('base64url').slice(0, 22)

/**
 * The ETag of an answer: `W/"<digest>.<end of its link, Unix seconds>"`. Weak, because two answers
 * with the same facts have different links.
 */
export const exportTag = (digest: string, link?: Link): string =>
  `W/"${digest}.${Math.floor((link?.expiresAt.getTime() ?? 0) / 1000)}"`

/**
 * Finds among the tags that a client holds (`If-None-Match`) the one of an answer that it may go on
 * to use: nothing has changed since.
 * @param linkUntil so long its link must live, where it has one
 */
export const findHeldTag = (
  ifNoneMatch: string | undefined,
  current: string,
  linkUntil?: Date,
): string | undefined => {
  const usable = (endMs: number) => linkUntil === undefined || endMs >= linkUntil.getTime()
  return splitTags(ifNoneMatch).find(({ digest, endMs }) => digest === current && usable(endMs))
    ?.tag
}

/** Of all tags that a client holds; what is no tag of ours is left out. */
export const heldDigests = (ifNoneMatch: string | undefined): readonly string[] =>
  splitTags(ifNoneMatch).map(({ digest }) => digest)

const splitTags = (header = '') =>
  [...header.matchAll(/(?:W\/)?"([\w-]{22})\.(\d{1,12})"/g)].map(([tag, digest = '', end]) => ({
    tag,
    digest,
    endMs: Number(end) * 1000,
  }))
