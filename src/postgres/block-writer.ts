import type { RowBlock } from '../export/ports.ts'
import { KiB } from '../runtime/units.ts'

/** Large enough to hash and copy cheaply, small enough that a few of them are no matter, bytes. */
const bufferBytes = 256 * KiB

/** UTF-8 takes at most so many bytes for a UTF-16 unit. */
const bytesPerUnit = 3

/**
 * Puts JSON texts into blocks. Texts go one by one into large buffers: to join them first would make a
 * string of that size, and a new one each time costs more than all the rest.
 */
export interface BlockWriter {
  /** @param rows how many elements the text has, each but the last with its separator */
  write(text: string, rows: number): void
  /** What has been written since it was last asked, in order; empty when there is nothing. */
  take(): readonly RowBlock[]
}

export function createBlockWriter(separator: string): BlockWriter {
  const full: RowBlock[] = []
  let buffer = Buffer.allocUnsafeSlow(bufferBytes)
  let begin = 0
  let end = 0
  let rows = 0

  /** What comes next goes behind it, into the same buffer: small blocks must not each hold a large one. */
  function finish(): void {
    if (rows > 0) full.push({ bytes: buffer.subarray(begin, end), rows })
    begin = end
    rows = 0
  }

  function roomFor(bytes: number): void {
    if (buffer.length - end >= bytes) return
    finish()
    buffer = Buffer.allocUnsafeSlow(Math.max(bufferBytes, bytes))
    begin = 0
    end = 0
  }

  return {
    write(text, count) {
      // to count its bytes takes about as long as to write them: only where there may be no room
      if (buffer.length - end < bytesPerUnit * text.length + separator.length) {
        roomFor(Buffer.byteLength(text) + separator.length)
      }
      end += buffer.write(text, end)
      end += buffer.write(separator, end, 'latin1')
      rows += count
    },
    take() {
      finish()
      return full.splice(0)
    },
  }
}
