import type { FastifyReply } from 'fastify'
import { linkExport, type LinkExportDeps } from '../export/link-export.ts'
import type { ExportRecord } from '../export/model.ts'
import type { Link } from '../export/ports.ts'
import { secondsToNextLook } from '../export/time-left.ts'
import type { Clock } from '../runtime/clock.ts'
import { exportTag, findHeldTag } from './export-tag.ts'
import { viewExport } from './export-view.ts'
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
    .send(viewExport(record, link))
}

/** The same for who may have it already: then 304, without a body. */
export async function sendExportUnlessHeld(
  deps: SendExportDeps,
  reply: FastifyReply,
  record: ExportRecord,
): Promise<FastifyReply> {
  const held = findHeldTag(reply.request.headers['if-none-match'], record, {
    now: deps.clock.now(),
    leastLinkMs: (deps.linkTtlSeconds * 1000) / 2,
  })
  noStore(advise(deps, reply, record))
  if (held !== undefined) return reply.code(304).header('etag', held).send()
  const link = await linkOf(deps, record)
  return reply.header('etag', exportTag(record, link)).send(viewExport(record, link))
}

/** Exports as a list shows them. @throws StoreError when signing fails */
export const viewWithLinks = (
  deps: LinkExportDeps,
  records: readonly ExportRecord[],
): Promise<readonly ExportView[]> =>
  Promise.all(records.map(async (record) => viewExport(record, await linkOf(deps, record))))

/** Says when to ask again about an export that has not finished. */
export function advise(
  { clock }: SendExportDeps,
  reply: FastifyReply,
  record: ExportRecord,
): FastifyReply {
  const seconds = secondsToNextLook(record, clock.now())
  return seconds === undefined ? reply : reply.header('retry-after', String(seconds))
}

const noStore = (reply: FastifyReply) => reply.header('cache-control', 'no-store')

const linkOf = async (deps: LinkExportDeps, record: ExportRecord): Promise<Link | undefined> =>
  record.state === 'completed' ? linkExport(deps, record) : undefined
