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
export function objectKey(prefix: string, facts: KeyFacts): string {
  const { attempt, spec, archive } = facts
  const begin = `${attemptsPrefix(prefix, facts)}${attempt}`
  const { suffix } = artifactFormat(spec.format, spec.compression)
  return archive === undefined ? `${begin}/${fileName(spec)}` : `${begin}${suffix}`
}

/** With it begin the keys of all attempts of one export, and no others. */
export const attemptsPrefix = (
  prefix: string,
  { id, spec, archive }: Omit<KeyFacts, 'attempt'>,
): string =>
  archive === undefined
    ? `${exportsFolder(prefix)}${id}/`
    : `${windowPrefix(prefix, archive, spec)}${id}-`

/** With it begin the keys of all exports of one generation of one window, and no others. */
export function windowPrefix(
  prefix: string,
  { name, date, generation }: ArchivePlace,
  { range }: Pick<ExportSpec, 'range'>,
): string {
  const [from, to] = [compactInstant(range.from), compactInstant(range.to)]
  return `${archivesFolder(prefix)}${name}/dt=${date}/${from}_${to}_g${generation}_`
}

/** Where an artifact of an archive, or what its keys begin with, lies when another generation has taken its place. */
export function supersededKey(prefix: string, archive: string, key: string): string {
  const folder = `${archivesFolder(prefix)}${archive}/`
  return key.startsWith(`${folder}dt=`) ? `${folder}_superseded/${key.slice(folder.length)}` : key
}

/** Below it are the objects that `longhaul doctor` puts there for a moment. No export has this id. */
export const probesFolder = (prefix: string): string => `${exportsFolder(prefix)}doctor/`

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const keyShape = new RegExp(`^(${uuid})/([1-9]\\d{0,8})/[^/]+$`)
const archivedShape = new RegExp(`^[^/]+/dt=[^/]+/[^/]+_(${uuid})-([1-9]\\d{0,8})\\.[a-z.]+$`)

/** Whose key this is; undefined when it has not the shape of `objectKey`, and so is not ours. */
export function parseObjectKey(
  prefix: string,
  key: string,
): { readonly id: string; readonly attempt: number } | undefined {
  for (const [folder, shape] of [
    [exportsFolder(prefix), keyShape],
    [archivesFolder(prefix), archivedShape],
  ] as const) {
    const [, id, attempt] = key.startsWith(folder)
      ? (shape.exec(key.slice(folder.length)) ?? [])
      : []
    if (id !== undefined) return { id, attempt: Number(attempt) }
  }
  return undefined
}
