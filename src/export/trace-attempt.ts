import { failSpan, inSpan } from '../runtime/trace.ts'
import type { ExportRecord } from './model.ts'

/**
 * Runs one attempt as a span, which says how it ended: an attempt that was interrupted or canceled has not
 * failed.
 */
export const traceAttempt = <T extends { readonly outcome: string; readonly error?: Error }>(
  { id, attempt, spec }: ExportRecord,
  run: () => Promise<T>,
): Promise<T> => {
  const attributes = {
    'longhaul.export_id': id,
    'longhaul.attempt': attempt,
    'longhaul.dataset': spec.dataset,
    'longhaul.range.from': spec.range.from,
    'longhaul.range.to': spec.range.to,
  }
  return inSpan('export attempt', { attributes }, async (span) => {
    const result = await run()
    span.setAttribute('longhaul.outcome', result.outcome)
    const hasFailed = result.outcome === 'failed' || result.outcome === 'again'
    if (hasFailed) failSpan(span, result.error)
    return result
  })
}
