import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { CanceledError } from '../../src/errors.ts'
import { readBatches } from '../../src/postgres/row-batches.ts'

const never = new AbortController().signal
/** A connection that nobody pauses. */
const flowing = new PassThrough()
const passThrough = (highWaterMark = 100) => new PassThrough({ objectMode: true, highWaterMark })

async function collect(stream: Readable, signal = never): Promise<readonly (readonly number[])[]> {
  const batches: (readonly number[])[] = []
  for await (const batch of readBatches<number>(stream, flowing, signal)) batches.push(batch)
  return batches
}

describe('rows in batches', () => {
  it('come all, in order, and the stream is closed', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => i)
    const stream = Readable.from(rows, { highWaterMark: 500 })
    expect((await collect(stream)).flat()).toEqual(rows)
    expect(stream.destroyed).toBe(true)
  })

  it('come as many at once as are there', async () => {
    const stream = passThrough()
    for (const row of [1, 2, 3]) stream.write(row)
    const batches = readBatches<number>(stream, flowing, never)
    expect((await batches.next()).value).toEqual([1, 2, 3])
    const waiting = batches.next()
    stream.write(4)
    expect((await waiting).value).toEqual([4])
    stream.end()
    expect(await batches.next()).toEqual({ done: true, value: undefined })
  })

  it('come, though there are none, while the connection is paused, which then goes on', async () => {
    const [stream, connection] = [passThrough(), passThrough()]
    const batches = readBatches<number>(stream, connection, never)
    const waiting = batches.next()
    connection.pause()
    expect((await waiting).value).toEqual([])
    expect(connection.isPaused()).toBe(true)
    const next = batches.next()
    expect(connection.isPaused()).toBe(false)
    stream.end(1)
    expect((await next).value).toEqual([1])
    connection.pause()
    await batches.return(undefined)
    expect(connection.isPaused()).toBe(false)
    expect(connection.listenerCount('pause')).toBe(0)
  })

  it('are none when the stream is empty', async () => {
    const stream = passThrough()
    stream.end()
    expect(await collect(stream)).toEqual([])
  })

  it('end with the error of the stream while waiting', async () => {
    const stream = passThrough()
    const collected = collect(stream)
    stream.write(1)
    setImmediate(() => stream.destroy(new RangeError('broken')))
    await expect(collected).rejects.toThrow('broken')
  })

  it('end with an error that came while a batch was being used', async () => {
    const stream = passThrough()
    const batches = readBatches<number>(stream, flowing, never)
    stream.write(1)
    await batches.next()
    stream.destroy(new RangeError('broken meanwhile'))
    await new Promise((resolve) => stream.once('close', resolve))
    await expect(batches.next()).rejects.toThrow('broken meanwhile')
  })

  it('do not end well when the stream is closed before its end', async () => {
    const stream = passThrough()
    const collected = collect(stream)
    stream.write(1)
    setImmediate(() => stream.destroy())
    const late = new Promise((resolve) => setTimeout(resolve, 100, 'still waiting'))
    const outcome = collected.then(
      () => 'ended well',
      () => 'failed',
    )
    expect(await Promise.race([outcome, late])).toBe('failed')
  })

  it('end with the reason of an abort while waiting', async () => {
    const stream = passThrough()
    const controller = new AbortController()
    const reason = new CanceledError('x')
    const collected = collect(stream, controller.signal)
    setImmediate(() => controller.abort(reason))
    await expect(collected).rejects.toBe(reason)
    expect(stream.destroyed).toBe(true)
  })

  it('end with the reason of an abort while rows keep coming', async () => {
    const controller = new AbortController()
    const reason = new CanceledError('x')
    const stream = Readable.from(
      (async function* () {
        for (let row = 0; ; row++) yield await Promise.resolve(row)
      })(),
    )
    const reading = async () => {
      for await (const batch of readBatches<number>(stream, flowing, controller.signal)) {
        if (batch.includes(1000)) controller.abort(reason)
      }
    }
    await expect(reading()).rejects.toBe(reason)
    expect(stream.destroyed).toBe(true)
  })

  it('are not read at all after an abort', async () => {
    const stream = Readable.from([1, 2, 3])
    const reason = new CanceledError('x')
    await expect(collect(stream, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(stream.destroyed).toBe(true)
  })

  it('destroy the stream when the reader leaves early', async () => {
    const stream = Readable.from(Array.from({ length: 1000 }, (_, i) => i))
    for await (const batch of readBatches<number>(stream, flowing, never)) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
    expect(stream.destroyed).toBe(true)
  })

  it('leave no listener on the signal behind', async () => {
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => {
        listeners++
        add(...args)
      },
      removeEventListener: (...args: Parameters<typeof remove>) => {
        listeners--
        remove(...args)
      },
    })
    const stream = passThrough(1)
    const collected = collect(stream, signal)
    for (let row = 0; row < 50; row++) {
      stream.write(row)
      await new Promise((resolve) => setImmediate(resolve))
    }
    stream.end()
    await collected
    expect(listeners).toBeLessThanOrEqual(0)
  })
})
