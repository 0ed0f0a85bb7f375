import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, Side } from './fault.ts'

/** Between two pieces of a throttled connection, ms. */
const throttleMs = 50

/** How a fault ends a connection. */
export type Cut = 'drop' | 'reset'

/** One direction of a connection. */
export interface Valve {
  /** Begins a fault in place of the one before, or ends that. */
  strike(fault: Fault | undefined): void
  /** Whether a silence has begun that does not end. */
  silentForGood(): boolean
  /** The pieces of a chunk, each when it may pass. */
  pass(chunk: Buffer): AsyncGenerator<Buffer>
  /** Resolves once the direction is not silent. */
  heard(): Promise<void>
  /** All that still comes is thrown away, and nobody waits. */
  close(): void
}

/**
 * Lets the bytes of one side pass as a fault wants it.
 * @param cut ends the connection, both directions of it
 */
export function createValve(side: Side, cut: (how: Cut) => void): Valve {
  let fault: Fault | undefined
  /** Bytes that pass before the fault begins. */
  let left = 0
  let closed = false
  let changed = new AbortController()

  const silent = () => !closed && fault?.then === 'stall' && left === 0
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: changed.signal }).catch(() => undefined)
  const untilChanged = ({ signal } = changed) =>
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
    })

  function change(): void {
    changed.abort()
    changed = new AbortController()
  }

  function cutWhenDue(): void {
    if (left === 0 && (fault?.then === 'drop' || fault?.then === 'reset')) cut(fault.then)
  }

  return {
    strike(next) {
      if (closed) return
      const { from = 'server' } = next ?? {}
      fault = from === side || from === 'both' ? next : undefined
      left = fault?.afterBytes ?? 0
      change()
      cutWhenDue()
    },

    silentForGood: () => silent() && fault?.then === 'stall' && fault.forGood === true,

    async *pass(chunk) {
      let rest = chunk
      while (rest.length > 0 && !closed) {
        let length = rest.length
        if (left > 0) length = Math.min(length, left)
        else if (fault?.then === 'stall') {
          await untilChanged()
          continue
        } else if (fault?.then === 'delay') await pause(fault.ms)
        else if (fault?.then === 'throttle') {
          length = Math.min(length, Math.ceil((fault.bytesPerSecond * throttleMs) / 1000))
          await pause(throttleMs)
        }
        yield rest.subarray(0, length)
        rest = rest.subarray(length)
        if (left === 0) continue
        left -= length
        cutWhenDue()
      }
    },

    async heard() {
      while (silent()) await untilChanged()
    },

    close() {
      closed = true
      change()
    },
  }
}
