import type { ExportSpec } from './model.ts'

/** Generous guesses per row: too large a part costs some memory, too many parts cost the export. */
const idBytes = 64
const documentBytes = 4096

/** A guess of the artifact's size in bytes, for choosing the part size; undefined without a row count. */
export const estimateBytes = (
  { exportContent }: ExportSpec,
  estimatedRows: number | undefined,
): number | undefined =>
  estimatedRows === undefined
    ? undefined
    : estimatedRows * (exportContent ? documentBytes : idBytes)
