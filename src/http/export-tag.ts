import { createHash } from 'node:crypto'
import type { ExportRecord } from '../export/model.ts'
import type { Link } from '../export/ports.ts'
import { viewExport } from './export-view.ts'

/** What tells two answers about an export apart, but for the link, which is signed anew for each. */
export const exportDigest = (record: ExportRecord): string =>
  createHash('sha256')
    .update(JSON.stringify(viewExport(record)))
    .digest('base64url')
    .slice(0, 22)

/**
 * The ETag of an answer: `W/"<digest>.<end of its link, Unix seconds>"`. Weak, because two answers
 * with the same facts have different links.
 */
export const exportTag = (record: ExportRecord, link?: Link): string =>
  `W/"${exportDigest(record)}.${Math.floor((link?.expiresAt.getTime() ?? 0) / 1000)}"`

/**
 * Finds among the tags that a client holds (`If-None-Match`) the one of an answer that it may go on
 * to use: nothing has changed since, and its link lives for another `leastLinkMs`.
 */
export const findHeldTag = (
  ifNoneMatch: string | undefined,
  record: ExportRecord,
  { now, leastLinkMs }: { readonly now: Date; readonly leastLinkMs: number },
): string | undefined => {
  const held = splitTags(ifNoneMatch)
  if (held.length === 0) return undefined
  const current = exportDigest(record)
  const aliveUntil = now.getTime() + leastLinkMs
  const usable = (endMs: number) => record.state !== 'completed' || endMs >= aliveUntil
  return held.find(({ digest, endMs }) => digest === current && usable(endMs))?.tag
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
