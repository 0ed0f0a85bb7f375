import { describe, expect, it, vi } from 'vitest'
import { createDownloadDisplay } from '../../src/cli/download-display.ts'

/** What is written to a terminal, or to something else. */
function fakeStream(isTTY: boolean) {
  const written: string[] = []
  const write = (text: string) => written.push(text) > 0
  const stream = { isTTY, columns: 100, write } as unknown as NodeJS.WriteStream
  return { stream, text: () => written.join('') }
}

describe('the display of a download', () => {
  it('is a bar with bytes on a terminal', () => {
    const { stream, text } = fakeStream(true)
    const display = createDownloadDisplay(stream)
    display.update({ bytes: 0, totalBytes: 4_000_000 })
    display.update({ bytes: 1_000_000, totalBytes: 4_000_000 })
    display.update({ bytes: 4_000_000, totalBytes: 4_000_000 })
    display.stop()
    expect(text()).toContain('█')
    expect(text()).toContain('4.0 MB of 4.0 MB')
    expect(text()).toContain('100 %')
  })

  it('is a plain line every five seconds elsewhere, and none when it is done before', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const { stream, text } = fakeStream(false)
      const display = createDownloadDisplay(stream)
      display.update({ bytes: 1_000_000, totalBytes: 20_000_000 })
      vi.advanceTimersByTime(4000)
      display.update({ bytes: 4_000_000, totalBytes: 20_000_000 })
      expect(text()).toBe('')
      vi.advanceTimersByTime(1000)
      display.update({ bytes: 5_000_000, totalBytes: 20_000_000 })
      display.update({ bytes: 5_100_000, totalBytes: 20_000_000 })
      display.stop()
      expect(text()).toBe('download: 5.0 MB of 20.0 MB, 1.0 MB/s\n')
    } finally {
      vi.useRealTimers()
    }
  })
})
