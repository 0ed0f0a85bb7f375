import type { FastifyReply } from 'fastify'
import { linkExport, type LinkExportDeps } from '../export/link-export.ts'
import type { ExportRecord } from '../export/model.ts'
import type { Link } from '../export/ports.ts'
import { secondsToNextLook } from '../export/time-left.ts'
import type { Clock } from '../runtime/clock.ts'
import { digestOf, exportTag, findHeldTag } from './export-tag.ts'
import { addArtifact, viewExport } from './export-view.ts'
import type { ExportView } from './schemas.ts'

export interface SendExportDeps extends LinkExportDeps {
  readonly clock: Clock
}

/** Answers with one export. A signed link may be in it, and it changes: nobody in between may keep it. */
export async function sendExport(
  deps: SendExportDeps,
  reply: FastifyReply,
  status: number,
  record: ExportRecord,
): Promise<FastifyReply> {
  const link = await linkOf(deps, record)
  return noStore(advise(deps, reply, record))
    .code(status)
    .send(addArtifact(viewExport(record), record, link))
}

/** The same for who may have it already: then 304, without a body. */
export async function sendExportUnlessHeld(
  deps: SendExportDeps,
  reply: FastifyReply,
  record: ExportRecord,
): Promise<FastifyReply> {
  const view = viewExport(record)
  const digest = digestOf(view)
  const ifNoneMatch = reply.request.headers['if-none-match']
  const held = findHeldTag(ifNoneMatch, digest, leastLinkEnd(deps, record))
  noStore(advise(deps, reply, record))
  if (held !== undefined) return reply.code(304).header('etag', held).send()
  const link = await linkOf(deps, record)
  return reply.header('etag', exportTag(digest, link)).send(addArtifact(view, record, link))
}

/** Exports as a list shows them. @throws StoreError when signing fails */
export const viewWithLinks = (
  deps: LinkExportDeps,
  records: readonly ExportRecord[],
): Promise<readonly ExportView[]> =>
  Promise.all(
    records.map(async (record) =>
      addArtifact(viewExport(record), record, await linkOf(deps, record)),
    ),
  )

/** Says when to ask again about an export that has not finished. */
export function advise(
  { clock }: SendExportDeps,
  reply: FastifyReply,
  record: ExportRecord,
): FastifyReply {
  const seconds = secondsToNextLook(record, clock.now())
  return seconds === undefined ? reply : reply.header('retry-after', String(seconds))
}

/** A link that a client has is as good as a new one for half of its life. */
const leastLinkEnd = ({ clock, linkTtlSeconds }: SendExportDeps, { state }: ExportRecord) =>
  state === 'completed' ? new Date(clock.now().getTime() + (linkTtlSeconds * 1000) / 2) : undefined

const noStore = (reply: FastifyReply) => reply.header('cache-control', 'no-store')

const linkOf = async (deps: LinkExportDeps, record: ExportRecord): Promise<Link | undefined> =>
  record.state === 'completed' ? linkExport(deps, record) : undefined
