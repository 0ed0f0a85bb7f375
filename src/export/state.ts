import type { ExportState } from './model.ts'

/**
 * The life of an export: which state may follow which, and why. Each row is one guarded
 * `update … where state = any(from)` of the records.
 */
export const transitions = {
  /** A worker takes it. A running one only after its lease has ended. */
  claim: { from: ['queued', 'running'], to: 'running' },
  complete: { from: ['running'], to: 'completed' },
  /** The attempt ended, another follows: an error that may pass, or an interruption. */
  requeue: { from: ['running'], to: 'queued' },
  fail: { from: ['running'], to: 'failed' },
  cancel: { from: ['queued', 'running'], to: 'canceled' },
  /** The artifact is deleted, by age or by request; the record stays. */
  expire: { from: ['completed'], to: 'expired' },
} as const satisfies Record<string, { from: readonly ExportState[]; to: ExportState }>

export type Transition = keyof typeof transitions

/** Completed, failed, canceled or expired: no attempt will follow. */
export const isFinished = (state: ExportState): boolean => state !== 'queued' && state !== 'running'
