import { expect, it } from 'vitest'
import { readWindow } from '../../src/archive/read-window.ts'
import { supersededKey } from '../../src/export/object-key.ts'
import { createRetentionWorld } from '../support/retention-world.ts'

it('a window of the API is linked to where its artifact lies while a repair moves it', async () => {
  const { deps, ledger, artifacts, archive, keysOf } = await createRetentionWorld(1)
  const asked = { archive: archive.name, window: '2026-03-25' }
  const look = () => readWindow({ ...deps, ledger, artifacts, linkTtlSeconds: 3600 }, asked)
  const [key] = keysOf('/dt=')
  const before = await look()
  expect(before.archived!.artifactKey).toBe(key)
  const superseded = supersededKey('p/', key!)
  await artifacts.copy(key!, superseded)
  await artifacts.remove(key!)
  const { archived } = await look()
  expect(archived!.artifactKey).toBe(superseded)
  expect(archived!.artifactLink.url).toBe(before.archived!.artifactLink.url)
})
