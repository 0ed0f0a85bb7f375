import { artifactPackings, type Compression } from './compression.ts'
import { elementSeparator, encodeJsonArray } from './json-array.ts'
import { encodeLines } from './lines.ts'

/** How the rows are laid out: one JSON array, or one JSON text a line (https://github.com/ndjson/ndjson-spec). */
export const formats = ['json', 'ndjson'] as const
export type Format = (typeof formats)[number]

export interface Encoding {
  /** What stands behind each element in the blocks that `encode` takes. */
  readonly separator: string
  encode(blocks: AsyncIterable<{ readonly bytes: Buffer }>): AsyncGenerator<Buffer>
}

export const encodings: Readonly<Record<Format, Encoding>> = {
  json: { separator: elementSeparator, encode: encodeJsonArray },
  ndjson: { separator: '\n', encode: encodeLines },
}

const contentTypes = {
  json: 'application/json',
  ndjson: 'application/x-ndjson',
} as const satisfies Record<Format, string>

/** What tells one who downloads it how it is laid out and packed: name and type, and no Content-Encoding. */
export interface ArtifactFormat {
  /** Of the file's name. */
  readonly suffix: string
  readonly contentType: string
}

/** Of an artifact; what is packed has the type of its packing. */
export function artifactFormat(format: Format, compression: Compression): ArtifactFormat {
  const { suffix, contentType = contentTypes[format] } = artifactPackings[compression]
  return { suffix: `.${format}${suffix}`, contentType }
}
