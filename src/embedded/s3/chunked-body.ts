import { createHash } from 'node:crypto'
import { sameText, type Authentication } from './authenticate.ts'
import { S3Error } from './s3-error.ts'
import { scopeText, signatureOf } from './signature.ts'

/** What follows the last chunk; names in lower case. */
export type Trailers = Map<string, string>

export interface ChunkedBody {
  /** Given when every chunk carries a signature that continues the chain begun by the request's own. */
  readonly signedBy?: Authentication | undefined
  /** Filled once the body has been read to its end. */
  readonly trailers: Trailers
}

const maxLineBytes = 8 * 1024
const emptyDigest = createHash('sha256').digest('hex')

/**
 * Takes the aws-chunked framing off a body: `size[;chunk-signature=…]\r\n`, that many bytes, `\r\n`, until
 * a chunk of size 0, then trailers. Bytes are passed on before the signature of their chunk is known to
 * hold, so nothing may be made of them until the generator has ended without an error.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  { signedBy, trailers }: ChunkedBody,
): AsyncGenerator<Buffer> {
  const input = createInput(source)
  const chain = signedBy === undefined ? undefined : createChain(signedBy)
  try {
    for (;;) {
      const { bytes, signature } = parseChunkHeader(await input.line())
      const digest = createHash('sha256')
      for (let left = bytes; left > 0;) {
        const piece = await input.take(left)
        left -= piece.length
        if (chain !== undefined) digest.update(piece)
        yield piece
      }
      chain?.checkChunk(digest.digest('hex'), signature)
      if (bytes === 0) break
      if ((await input.line()) !== '') throw malformed()
    }
    await readTrailers(input, trailers)
    chain?.checkTrailers(trailers)
  } finally {
    await input.close()
  }
}

interface Input {
  /** The next line without its `\r\n`. */
  line(): Promise<string>
  /** At least one and at most so many bytes. */
  take(atMost: number): Promise<Buffer>
  atEnd(): Promise<boolean>
  /** Lets go of the source, which may not have come to its end. */
  close(): Promise<void>
}

function createInput(source: AsyncIterable<Buffer>): Input {
  const iterator = source[Symbol.asyncIterator]()
  let rest: Buffer = Buffer.alloc(0)

  async function more(): Promise<boolean> {
    const next = await iterator.next()
    if (next.done === true) return false
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value])
    return true
  }
  async function atEnd(): Promise<boolean> {
    while (rest.length === 0) if (!(await more())) return true
    return false
  }
  return {
    atEnd,
    async line() {
      let end = rest.indexOf('\r\n')
      while (end < 0) {
        if (rest.length > maxLineBytes) throw malformed()
        if (!(await more())) throw new S3Error('IncompleteBody')
        end = rest.indexOf('\r\n')
      }
      const line = rest.toString('latin1', 0, end)
      rest = rest.subarray(end + 2)
      return line
    },
    async take(atMost) {
      if (await atEnd()) throw new S3Error('IncompleteBody')
      const piece = rest.subarray(0, atMost)
      rest = rest.subarray(piece.length)
      return piece
    },
    async close() {
      await iterator.return?.()
    },
  }
}

function parseChunkHeader(line: string): { bytes: number; signature: string | undefined } {
  const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line)
  if (match?.[1] === undefined) throw malformed()
  return { bytes: Number.parseInt(match[1], 16), signature: match[2] }
}

/** Some senders end the body right after the last chunk, others with an empty line. */
async function readTrailers(input: Input, trailers: Trailers): Promise<void> {
  while (!(await input.atEnd())) {
    const line = await input.line()
    if (line === '') continue
    const colon = line.indexOf(':')
    if (colon < 1 || trailers.size > 16) throw malformed()
    trailers.set(line.slice(0, colon).toLowerCase().trim(), line.slice(colon + 1).trim())
  }
}

interface Chain {
  checkChunk(digest: string, signature: string | undefined): void
  checkTrailers(trailers: Trailers): void
}

/** Each signature covers the one before, so chunks can be neither changed, dropped nor reordered. */
function createChain({ signature: seed, timestamp, scope, signingKey }: Authentication): Chain {
  let previous = seed
  function check(kind: string, digests: readonly string[], signature = ''): void {
    const text = [`AWS4-HMAC-SHA256-${kind}`, timestamp, scopeText(scope), previous, ...digests]
    const expected = signatureOf(signingKey, text.join('\n'))
    if (!sameText(expected, signature)) throw new S3Error('SignatureDoesNotMatch')
    previous = expected
  }
  return {
    checkChunk: (digest, signature) => check('PAYLOAD', [emptyDigest, digest], signature),
    checkTrailers(trailers) {
      const signature = trailers.get('x-amz-trailer-signature')
      trailers.delete('x-amz-trailer-signature')
      if (trailers.size === 0) return
      const lines = [...trailers].map(([name, value]) => `${name}:${value}\n`)
      const digest = createHash('sha256').update(lines.join(''), 'latin1').digest('hex')
      check('TRAILER', [digest], signature)
    },
  }
}

function malformed(): S3Error {
  return new S3Error('IncompleteBody', {
    message: 'The aws-chunked framing of the body is broken.',
  })
}
