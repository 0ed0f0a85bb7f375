import type { FastifyInstance, FastifyReply } from 'fastify'
import { readWindow, type ReadWindowDeps } from '../../archive/read-window.ts'
import type { ArchiveLedger } from '../../archive/ports.ts'
import { listHolds, type HoldListDeps } from '../../archive/holds.ts'
import { readSummaries } from '../../archive/summary.ts'
import { rested } from '../../runtime/rested.ts'
import type { ArchiveListView } from '../archive-schemas.ts'
import { viewArchive, viewWindow } from '../archive-view.ts'
import { answers, problems } from '../schemas.ts'

export interface ArchiveRoutesDeps extends ReadWindowDeps {
  readonly ledger: Pick<ArchiveLedger, 'listArchives' | 'listWindows' | 'summarize'>
  readonly retention: HoldListDeps['retention']
}

/** All windows of all archives are counted: no more often than so, however many ask, ms. */
const restMs = 2000

interface ByNames {
  readonly Params: { readonly archive: string; readonly window: string }
}

/** `/archives`: which there are and how much of them, and what one window holds. Nothing is changed by them. */
export function archiveRoutes(app: FastifyInstance, deps: ArchiveRoutesDeps): void {
  const list = rested(() => listArchives(deps), restMs, { failureMs: 0 })
  app.get(
    '/archives',
    {
      config: { permission: 'look at archives' },
      schema: {
        summary: 'List archives, with what is there and what is missing',
        response: { 200: answers('All of them, by name.', 'ArchiveList'), ...problems() },
      },
    },
    async (_request, reply) => noStore(reply).send(await list()),
  )

  app.get<ByNames>(
    '/archives/:archive/:window',
    {
      config: { permission: 'look at archives' },
      schema: {
        summary: 'What became of a window, with links to its artifact and manifest',
        params: {
          type: 'object',
          properties: {
            archive: { type: 'string' },
            window: {
              type: 'string',
              description:
                'By its name: `2026-03-29` of a day, `2026-03` of a month, `20260329T010000Z`, its start in UTC, of an hour.',
            },
          },
          required: ['archive', 'window'],
        },
        response: { 200: answers('The window.', 'ArchiveWindow'), ...problems(404) },
      },
    },
    async ({ params }, reply) => noStore(reply).send(viewWindow(await readWindow(deps, params))),
  )
}

async function listArchives(deps: ArchiveRoutesDeps): Promise<ArchiveListView> {
  const summaries = await readSummaries(deps.ledger, deps.clock.now())
  const holds = await listHolds(deps, undefined)
  const archives = summaries.map((summary) => {
    const { name } = summary.archive
    const own = holds.filter(({ hold }) => hold.archive === name)
    return viewArchive(summary, own)
  })
  return { archives }
}

/** It changes by itself, and signed links are in it. */
const noStore = (reply: FastifyReply) => reply.header('cache-control', 'no-store')
