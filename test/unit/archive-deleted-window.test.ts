import { expect, it } from 'vitest'
import { readWindow } from '../../src/archive/read-window.ts'
import { archiveWindowSchema } from '../../src/http/archive-schemas.ts'
import { viewWindow } from '../../src/http/archive-view.ts'
import { createPruneBundle } from '../support/prune-bundle.ts'
import { worldNow } from '../support/retention-world.ts'

it('a window of the API that is kept no longer says when and why it was deleted, and has no links', async () => {
  const { run, deps, ledger, archive, windowNamed } = await createPruneBundle()
  const look = async () => {
    const artifacts = { ...deps.artifacts, link: () => Promise.reject(new Error('no link')) }
    const view = viewWindow(
      await readWindow(
        { ...deps, ledger, artifacts, linkTtlSeconds: 3600 },
        { archive: archive.name, window: '2026-03-25' },
      ),
    )
    expect(archiveWindowSchema.parse(view)).toStrictEqual(view)
    return view
  }
  const [at, reason] = [worldNow.toISOString(), 'over before 2026-03-29']
  await ledger.markDeleted(await windowNamed('2026-03-25'), { at: worldNow, reason })
  const deleted = { state: 'deleted', deleted_at: at, deleted_reason: reason }
  const view = await look()
  expect(view).toMatchObject({ state: 'deleted', generations: [deleted] })
  expect(view).not.toHaveProperty('artifact')
  expect(view.generations[0]).not.toHaveProperty('removed_at')
  await run()
  expect((await look()).generations).toMatchObject([{ ...deleted, removed_at: at }])
})
