import type { ExportSpec, Instant } from './model.ts'

/** `20140722T120000Z`; with a fraction only when it is not zero: `20140722T120000.5Z`. */
function compact(instant: Instant): string {
  const [date = '', time = ''] = instant.slice(0, -1).split('T')
  const [clock = '', fraction = ''] = time.split('.')
  const rest = fraction.replace(/0+$/, '')
  return `${date.replaceAll('-', '')}T${clock.replaceAll(':', '')}${rest === '' ? '' : `.${rest}`}Z`
}

/** The name of the download: `services_20140722T120000Z_20140723T120000Z.json`. */
export const fileName = ({ dataset, range }: ExportSpec): string =>
  `${dataset}_${compact(range.from)}_${compact(range.to)}.json`

/** Every attempt writes a key of its own, so that two attempts never meet in one object. */
export function objectKey(
  prefix: string,
  { id, attempt, spec }: { id: string; attempt: number; spec: ExportSpec },
): string {
  return `${prefix}exports/${id}/${attempt}/${fileName(spec)}`
}
