import { artifactFormat } from '../encode/format.ts'
import type { ArchivePlace, ExportRecord, ExportSpec, Instant } from './model.ts'

/** `20140722T120000Z`; with a fraction only when it is not zero: `20140722T120000.5Z`. */
export function compactInstant(instant: Instant): string {
  const [date = '', time = ''] = instant.slice(0, -1).split('T')
  const [clock = '', fraction = ''] = time.split('.')
  const rest = fraction.replace(/0+$/, '')
  return `${date.replaceAll('-', '')}T${clock.replaceAll(':', '')}${rest === '' ? '' : `.${rest}`}Z`
}

/** The name of the download: `services_20140722T120000Z_20140723T120000Z.json`. */
export const fileName = ({ dataset, range, format, compression }: ExportSpec): string =>
  `${dataset}_${compactInstant(range.from)}_${compactInstant(range.to)}${artifactFormat(format, compression).suffix}`

/** Below it are the keys of all exports that somebody asked for. */
export const exportsFolder = (prefix: string): string => `${prefix}exports/`

/** Below it are all archives. */
export const archivesFolder = (prefix: string): string => `${prefix}archive/`

/** Below it are the manifests of an archive; a name that readers of partitions leave out. */
export const manifestsFolder = (prefix: string, archive: string): string =>
  `${archivesFolder(prefix)}${archive}/_manifests/`

export function isManifestKey(prefix: string, key: string): boolean {
  const [archive = ''] = key.slice(archivesFolder(prefix).length).split('/')
  return key.startsWith(manifestsFolder(prefix, archive))
}

/** What makes the key of an artifact. */
type KeyFacts = Pick<ExportRecord, 'id' | 'attempt' | 'spec' | 'archive'>

/** Every attempt writes a key of its own, so that two attempts never meet in one object. */
export const objectKey = (prefix: string, facts: KeyFacts): string =>
  placeInPartition(facts) === undefined
    ? `${attemptsPrefix(prefix, facts)}${facts.attempt}/${fileName(facts.spec)}`
    : partitionKey(prefix, facts)

/** With it begin the keys of all attempts of one export, and no others. */
export function attemptsPrefix(prefix: string, facts: Omit<KeyFacts, 'attempt'>): string {
  const place = placeInPartition(facts)
  return place === undefined
    ? `${exportsFolder(prefix)}${facts.id}/`
    : `${windowPrefix(prefix, place, facts.spec)}${facts.id}-`
}

/**
 * Where attempts write into the partition of their window. What comes later than the first generation is written beside the exports that
 * people ask for, and moved once the generation before has left the partition: whoever reads that never finds both.
 */
const placeInPartition = ({ archive }: Pick<KeyFacts, 'archive'>) =>
  archive?.generation === 1 ? archive : undefined

/** Where the artifact of a window lies once it is archived. Of what is in no archive it is that of `objectKey`. */
export function partitionKey(prefix: string, facts: KeyFacts): string {
  const { id, attempt, spec, archive } = facts
  if (archive === undefined) return objectKey(prefix, facts)
  const { suffix } = artifactFormat(spec.format, spec.compression)
  return `${windowPrefix(prefix, archive, spec)}${id}-${attempt}${suffix}`
}

/** With it begin the keys of all exports of one generation of one window, and no others. */
export const windowPrefix = (
  prefix: string,
  place: ArchivePlace,
  spec: Pick<ExportSpec, 'range'>,
): string => `${generationsPrefix(prefix, place, spec)}${place.generation}_`

/** With it begin the keys of all generations of one window in its partition, and no others. */
export function generationsPrefix(
  prefix: string,
  { name, date }: Pick<ArchivePlace, 'name' | 'date'>,
  { range }: Pick<ExportSpec, 'range'>,
): string {
  const [from, to] = [compactInstant(range.from), compactInstant(range.to)]
  return `${archivesFolder(prefix)}${name}/dt=${date}/${from}_${to}_g`
}

/**
 * Where an artifact lies once a later generation has taken its place: below a folder whose name readers of partitions leave
 * out. @param key of the artifact in its partition, or what such keys begin with
 */
export function supersededKey(prefix: string, key: string): string {
  const [archive = '', ...rest] = key.slice(archivesFolder(prefix).length).split('/')
  return `${archivesFolder(prefix)}${archive}/_superseded/${rest.join('/')}`
}

/** Below it are the objects that `longhaul doctor` puts there for a moment. No export has this id. */
export const probesFolder = (prefix: string): string => `${exportsFolder(prefix)}doctor/`

/** Likewise below the archives. None of them may have this name, and readers of partitions leave it out. */
export const archiveProbesFolder = (prefix: string): string => `${archivesFolder(prefix)}_doctor/`

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const keyShape = new RegExp(`^(?<id>${uuid})/(?<attempt>[1-9]\\d{0,8})/[^/]+$`)
const archivedShape = new RegExp(
  `^[^/]+/(?:_superseded/)?dt=[^/]+/[^/]+_g(?<generation>[1-9]\\d{0,8})_(?<id>${uuid})-(?<attempt>[1-9]\\d{0,8})\\.[a-z.]+$`,
)

export interface KeyOwner {
  /** Of the export. */
  readonly id: string
  readonly attempt: number
  /** Of its window; absent outside of archives. */
  readonly generation?: number
}

/** Whose key this is; undefined when it has not the shape of one that we write, and so is not ours. */
export function parseObjectKey(prefix: string, key: string): KeyOwner | undefined {
  for (const [folder, shape] of [
    [exportsFolder(prefix), keyShape],
    [archivesFolder(prefix), archivedShape],
  ] as const) {
    const found = key.startsWith(folder) ? shape.exec(key.slice(folder.length))?.groups : undefined
    const { id, attempt, generation } = found ?? {}
    if (id === undefined) continue
    const owner = { id, attempt: Number(attempt) }
    return generation === undefined ? owner : { ...owner, generation: Number(generation) }
  }
  return undefined
}
