/** A message of Protocol Buffers by its field numbers: https://protobuf.dev/programming-guides/encoding/ */
export type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>

/** Reads the fields of one message; those with a length stay bytes, as only its definition says what they are. */
export function readFields(message: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  function varint(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  function bytes(length: number): Buffer {
    if (at + length > message.length) throw new RangeError('The message ends in a field.')
    return message.subarray(at, (at += length))
  }
  function value(wireType: bigint): bigint | Buffer {
    switch (wireType) {
      case 0n:
        return varint()
      case 1n:
        return bytes(8)
      case 2n:
        return bytes(Number(varint()))
      case 5n:
        return bytes(4)
      default:
        throw new RangeError(`There is no wire type ${wireType}.`)
    }
  }
  while (at < message.length) {
    const tag = varint()
    const number = Number(tag >> 3n)
    fields.set(number, [...(fields.get(number) ?? []), value(tag & 7n)])
  }
  return fields
}

export const messages = (fields: Fields, number: number): readonly Fields[] =>
  buffers(fields, number).map(readFields)

export const buffers = (fields: Fields, number: number): readonly Buffer[] =>
  (fields.get(number) ?? []).filter((value) => Buffer.isBuffer(value))

export const text = (fields: Fields, number: number): string =>
  buffers(fields, number)[0]?.toString('utf8') ?? ''

export const integer = (fields: Fields, number: number): number =>
  Number(fields.get(number)?.find((value) => typeof value === 'bigint') ?? 0n)
