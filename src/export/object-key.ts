import { artifactFormat } from '../encode/format.ts'
import type { ExportSpec, Instant } from './model.ts'

/** `20140722T120000Z`; with a fraction only when it is not zero: `20140722T120000.5Z`. */
function compact(instant: Instant): string {
  const [date = '', time = ''] = instant.slice(0, -1).split('T')
  const [clock = '', fraction = ''] = time.split('.')
  const rest = fraction.replace(/0+$/, '')
  return `${date.replaceAll('-', '')}T${clock.replaceAll(':', '')}${rest === '' ? '' : `.${rest}`}Z`
}

/** The name of the download: `services_20140722T120000Z_20140723T120000Z.json`. */
export const fileName = ({ dataset, range, format, compression }: ExportSpec): string =>
  `${dataset}_${compact(range.from)}_${compact(range.to)}${artifactFormat(format, compression).suffix}`

/** Below it are the keys of all exports. */
export const exportsFolder = (prefix: string): string => `${prefix}exports/`

/** Every attempt writes a key of its own, so that two attempts never meet in one object. */
export function objectKey(
  prefix: string,
  { id, attempt, spec }: { id: string; attempt: number; spec: ExportSpec },
): string {
  return `${attemptsFolder(prefix, id)}${attempt}/${fileName(spec)}`
}

/** Below it are the keys of all attempts of one export. */
export const attemptsFolder = (prefix: string, id: string): string =>
  `${exportsFolder(prefix)}${id}/`

/** Below it are the objects that `longhaul doctor` puts there for a moment. No export has this id. */
export const probesFolder = (prefix: string): string => `${exportsFolder(prefix)}doctor/`

const keyShape =
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\/([1-9]\d{0,8})\/[^/]+$/

/** Whose key this is; undefined when it has not the shape of `objectKey`, and so is not ours. */
export function parseObjectKey(
  prefix: string,
  key: string,
): { readonly id: string; readonly attempt: number } | undefined {
  const folder = exportsFolder(prefix)
  if (!key.startsWith(folder)) return undefined
  const [, id, attempt] = keyShape.exec(key.slice(folder.length)) ?? []
  return id === undefined ? undefined : { id, attempt: Number(attempt) }
}
