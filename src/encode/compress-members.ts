import { availableParallelism } from 'node:os'
import { MiB } from '../runtime/units.ts'
import { cutBytes } from './cut-bytes.ts'

/** Packs some bytes so that they can be unpacked by themselves. */
export type CompressMember = (bytes: Uint8Array) => Promise<Buffer>

export interface MemberOptions {
  /** What is packed as one, bytes. */
  readonly memberBytes: number
  /** Members being packed at once. */
  readonly parallel: number
}

/**
 * Larger members gain less than a hundredth, and smaller ones lose: each begins with nothing to refer to. One more
 * member than cores keeps those busy; libuv has four threads. In memory are `parallel + 1` of them.
 */
export const memberOptions: MemberOptions = {
  memberBytes: 2 * MiB,
  parallel: Math.min(4, availableParallelism() + 1),
}

/**
 * Packs bytes as members of gzip, one behind the other, several at once on the threads of zlib. Members are cut at
 * the same bytes however these come, so that the same bytes make the same object; whoever unpacks them one after
 * the other has those again (RFC 1952, section 2.2).
 */
export async function* compressMembers(
  chunks: AsyncIterable<Buffer>,
  compress: CompressMember,
  { memberBytes, parallel }: MemberOptions = memberOptions,
): AsyncGenerator<Buffer> {
  const free: Buffer[] = []
  /** In their order. */
  const packing: Promise<Buffer>[] = []

  function pack(member: Buffer): void {
    const packed = compress(member).then((bytes) => {
      free.push(member)
      return bytes
    })
    // who takes it hears of a failure; nobody may do so
    packed.catch(() => undefined)
    packing.push(packed)
  }

  /** The first ones, until so many are left. */
  async function* take(left: number): AsyncGenerator<Buffer> {
    for (const packed of packing.splice(0, Math.max(0, packing.length - left))) yield await packed
  }

  const room = () => free.pop() ?? Buffer.allocUnsafeSlow(memberBytes)
  let isEmpty = true
  for await (const member of cutBytes(chunks, memberBytes, room)) {
    isEmpty = false
    pack(member)
    yield* take(parallel - 1)
  }
  yield* take(0)
  // without a member it would be no gzip file
  if (isEmpty) yield await compress(new Uint8Array())
}
