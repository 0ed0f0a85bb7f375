import { StoreError } from '../errors.ts'
import type { ExportRecord } from '../export/model.ts'
import { manifestKey, openManifest } from './manifest.ts'
import type { ManifestStore } from './ports.ts'

/**
 * Whether the manifest of a window names this object, whatever the record of its export says: the control database may have been
 * set back to a time when that export still ran. A manifest that cannot be read names all.
 * @throws StoreError when the store cannot be asked
 */
export async function isNamed(
  manifests: Pick<ManifestStore, 'get'>,
  keyPrefix: string,
  { archive, spec: { range } }: ExportRecord,
  key: string,
): Promise<boolean> {
  if (archive === undefined) return false
  const { name, generation } = archive
  const window = { archive: name, generation, from: new Date(range.from), to: new Date(range.to) }
  const at = manifestKey(keyPrefix, window)
  const text = await manifests.get(at)
  if (text === undefined) return false
  try {
    return openManifest(at, text).artifact.key === key
  } catch (error) {
    if (error instanceof StoreError) return true
    throw error
  }
}
