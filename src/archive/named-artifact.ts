import { StoreError } from '../errors.ts'
import type { ExportRecord } from '../export/model.ts'
import { supersededKey } from '../export/object-key.ts'
import type { ArtifactStore } from '../export/ports.ts'
import { manifestKey, openManifest, type OpenedManifest } from './manifest.ts'
import type { LedgerWindow } from './model.ts'
import type { ManifestStore } from './ports.ts'

export interface NamedArtifactDeps {
  readonly artifacts: Pick<ArtifactStore, 'stat'>
  readonly manifests: Pick<ManifestStore, 'get'>
  readonly settings: { readonly keyPrefix: string }
}

/** What the manifest of a generation names. */
export interface NamedArtifact {
  readonly manifest: OpenedManifest
  /** Where it lies: in its partition, or beside it once a later generation has taken its place. */
  readonly key: string
}

/** Undefined where there is no manifest. @throws StoreError when it, or its artifact, is not as it was written */
export async function namedArtifact(
  { artifacts, manifests, settings: { keyPrefix } }: NamedArtifactDeps,
  window: Pick<LedgerWindow, 'archive' | 'from' | 'to' | 'generation'>,
): Promise<NamedArtifact | undefined> {
  const at = manifestKey(keyPrefix, window)
  const text = await manifests.get(at)
  if (text === undefined) return undefined
  const manifest = openManifest(at, text)
  const { key: named, bytes } = manifest.artifact
  let found = 'is not there'
  for (const key of [named, supersededKey(keyPrefix, named)]) {
    const stored = await artifacts.stat(key)
    if (stored?.bytes === bytes) return { manifest, key }
    if (stored !== undefined) found = `has ${stored.bytes}`
  }
  throw new StoreError(
    'ARCHIVE_CORRUPT',
    `The manifest ${at} names ${named} of ${bytes} bytes, which ${found}.`,
    {
      hint: 'Put the artifact back from a copy, or remove the manifest: the window is then archived anew.',
    },
  )
}

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
 * set back to a time when that export still ran, or before its artifact was moved. A manifest that cannot be read names all.
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
    const { artifact } = openManifest(at, text)
    return artifact.key === key || supersededKey(keyPrefix, artifact.key) === key
  } catch (error) {
    if (error instanceof StoreError) return true
    throw error
  }
}
