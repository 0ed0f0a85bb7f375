import type { FastifyReply } from 'fastify'
import type { LinkExportDeps } from '../export/link-export.ts'
import type { ExportRecord } from '../export/model.ts'
import { isFinished } from '../export/state.ts'
import { viewExport } from './export-view.ts'

export type SendExportDeps = LinkExportDeps

/** When to ask again about an export that has not finished, seconds. */
const retryAfterSeconds = 1

/** Answers with one export. A signed link may be in it, and it changes: nobody in between may keep it. */
export async function sendExport(
  deps: SendExportDeps,
  reply: FastifyReply,
  status: number,
  record: ExportRecord,
): Promise<FastifyReply> {
  if (!isFinished(record.state)) void reply.header('retry-after', String(retryAfterSeconds))
  void reply.code(status).header('cache-control', 'no-store')
  return reply.send(await viewExport(deps, record))
}
