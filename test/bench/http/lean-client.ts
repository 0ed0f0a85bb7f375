import net from 'node:net'

export interface LeanClient {
  /** Sends a whole request, as bytes of HTTP/1.1; of one after another. @returns the status of the answer @throws Error */
  send(request: string): Promise<number>
  close(): void
}

interface Waiting {
  resolve(status: number): void
  reject(error: Error): void
}

/**
 * One connection that takes answers with a Content-Length, as all of the server's but streams are. node:http costs as
 * much for a request as the server that is measured, and both have the same two cores.
 */
export async function connectLean(url: string): Promise<LeanClient> {
  const { hostname, port } = new URL(url)
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true })
  let waiting: Waiting | undefined
  let received: Buffer = Buffer.alloc(0)
  /** Of the answer that is coming, head included; undefined until its head is there. */
  let expected: number | undefined

  function fail(error: Error): void {
    waiting?.reject(error)
    waiting = undefined
  }
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    if (expected === undefined) {
      const end = received.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = received.toString('latin1', 0, end)
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
      if (length === undefined) {
        fail(new Error(`An answer without a length: ${head}`))
        return
      }
      expected = end + 4 + Number(length)
    }
    if (received.length < expected) return
    const status = Number(received.toString('latin1', 9, 12))
    received = received.subarray(expected)
    expected = undefined
    const answered = waiting
    waiting = undefined
    answered?.resolve(status)
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('The server closed the connection.')))
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
  })
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request, 'latin1')
      }),
    close: () => socket.destroy(),
  }
}
