import { ClientError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'

/** Why an export that has finished has no artifact, with the code that decides the exit code. */
export function exportFailure({ id, state, error }: ExportView): ClientError {
  if (error !== undefined && state === 'failed') {
    return new ClientError(error.code, `Export ${id} failed: ${error.message}`, {
      hint: error.hint,
    })
  }
  const code = state === 'canceled' ? 'EXPORT_CANCELED' : 'EXPORT_GONE'
  return new ClientError(code, `Export ${id} is ${state}.`)
}
