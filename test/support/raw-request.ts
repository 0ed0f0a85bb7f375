import net from 'node:net'

/** What came back on one connection, as it came. */
export interface RawAnswer {
  readonly text: string
  /** Undefined: the connection was closed without an answer. */
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface SendOptions {
  readonly limitMs: number
  /**
   * When the client closes its own side; Node answers nothing from then on. Undefined: never, the bytes say where they
   * end.
   */
  readonly endAfterMs?: number
}

/**
 * Sends bytes as they are on a connection of their own, and takes what comes until the server closes it.
 * @throws TypeError when it has not by `limitMs`
 */
export function sendBytes(url: string, bytes: Buffer, { limitMs, endAfterMs }: SendOptions) {
  const { hostname, port } = new URL(url)
  return new Promise<RawAnswer>((resolve, reject) => {
    const socket = net.connect(Number(port), hostname)
    const pieces: Buffer[] = []
    const limit = setTimeout(() => {
      socket.destroy()
      reject(
        new TypeError(`no end within ${limitMs} ms of: ${bytes.toString('latin1').slice(0, 300)}`),
      )
    }, limitMs)
    socket.on('data', (piece) => pieces.push(piece))
    // a server may cut off what it does not want to read
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(limit)
      clearTimeout(end)
      resolve(parseAnswer(Buffer.concat(pieces).toString()))
    })
    socket.write(bytes)
    const end =
      endAfterMs === undefined ? undefined : setTimeout(() => void socket.end(), endAfterMs)
  })
}

/** Sends the first bytes, waits for so long, and is gone. */
export function sendAndLeave(url: string, bytes: Buffer, afterMs: number): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname)
    socket.on('error', () => undefined).on('close', () => resolve())
    socket.resume().write(bytes)
    setTimeout(() => (afterMs % 2 === 0 ? socket.resetAndDestroy() : socket.destroy()), afterMs)
  })
}

function parseAnswer(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(line) ?? []
  const headers = Object.fromEntries(
    lines.map((each) => {
      const colon = each.indexOf(':')
      return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()]
    }),
  )
  // another answer may follow on the same connection
  const length = Number(headers['content-length'] ?? Infinity)
  const body = Buffer.from(rest.join('\r\n\r\n')).subarray(0, length).toString()
  return { text, status: status === undefined ? undefined : Number(status), headers, body }
}
