import { StoreError } from '../errors.ts'
import type { ExportRecord } from '../export/model.ts'
import { manifestKey, openManifest } from './manifest.ts'
import type { ManifestStore } from './ports.ts'

/** Whether the window that an export is of has its manifest. @throws StoreError */
export async function hasManifest(
  manifests: Pick<ManifestStore, 'get'>,
  keyPrefix: string,
  record: ExportRecord,
): Promise<boolean> {
  const at = manifestOf(keyPrefix, record)
  return at !== undefined && (await manifests.get(at)) !== undefined
}

/** Its key; undefined for what is of no archive. */
function manifestOf(
  keyPrefix: string,
  { archive, spec: { range } }: ExportRecord,
): string | undefined {
  if (archive === undefined) return undefined
  const { name, generation } = archive
  const [from, to] = [new Date(range.from), new Date(range.to)]
  return manifestKey(keyPrefix, { archive: name, generation, from, to })
}

/**
 * Whether the manifest of a window names this object, whatever the record of its export says: the control database may have been
 * set back to a time when that export still ran. A manifest that cannot be read names all.
 * @throws StoreError when the store cannot be asked
 */
export async function isNamed(
  manifests: Pick<ManifestStore, 'get'>,
  keyPrefix: string,
  record: ExportRecord,
  key: string,
): Promise<boolean> {
  const at = manifestOf(keyPrefix, record)
  if (at === undefined) return false
  const text = await manifests.get(at)
  if (text === undefined) return false
  try {
    return openManifest(at, text).artifact.key === key
  } catch (error) {
    if (error instanceof StoreError) return true
    throw error
  }
}
