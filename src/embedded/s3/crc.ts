import { crc32 } from 'node:zlib'

/** A cyclic redundancy check over bytes that come in pieces. */
export interface Crc {
  update(chunk: Uint8Array): void
  /** Big-endian, as S3 sends it. */
  digest(): Buffer
}

/** The reflected polynomials and widths of the checks that S3 knows. */
const polynomials = {
  CRC32: { bits: 32n, reflected: 0xedb88320n },
  CRC32C: { bits: 32n, reflected: 0x82f63b78n },
  CRC64NVME: { bits: 64n, reflected: 0x9a6c9329ac4bc9b5n },
} as const

export type CrcAlgorithm = keyof typeof polynomials

export function isCrc(algorithm: string): algorithm is CrcAlgorithm {
  return algorithm in polynomials
}

export function createCrc(algorithm: CrcAlgorithm): Crc {
  return algorithm === 'CRC32' ? createZlibCrc() : createTableCrc(algorithm)
}

function createZlibCrc(): Crc {
  let value = 0
  return {
    update: (chunk) => {
      value = crc32(chunk, value)
    },
    digest: () => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes
    },
  }
}

/** Byte by byte through a table, as two halves of 32 bits: a 32-bit check leaves the high half idle. */
function createTableCrc(algorithm: CrcAlgorithm): Crc {
  const { low, high } = tableOf(algorithm)
  const wide = polynomials[algorithm].bits === 64n
  let lowHalf = -1
  let highHalf = wide ? -1 : 0
  return {
    update: (chunk) => {
      let a = lowHalf
      let b = highHalf
      for (const byte of chunk) {
        const entry = (a ^ byte) & 0xff
        a = ((a >>> 8) | (b << 24)) ^ (low[entry] ?? 0)
        b = (b >>> 8) ^ (high[entry] ?? 0)
      }
      lowHalf = a
      highHalf = b
    },
    digest: () => {
      const bytes = Buffer.alloc(8)
      bytes.writeInt32BE(~highHalf, 0)
      bytes.writeInt32BE(~lowHalf, 4)
      return wide ? bytes : bytes.subarray(4)
    },
  }
}

function tableOf(algorithm: CrcAlgorithm): { low: Int32Array; high: Int32Array } {
  const { reflected } = polynomials[algorithm]
  const low = new Int32Array(256)
  const high = new Int32Array(256)
  for (let byte = 0; byte < 256; byte += 1) {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit += 1) value = (value >> 1n) ^ (value & 1n ? reflected : 0n)
    low[byte] = Number(BigInt.asIntN(32, value))
    high[byte] = Number(BigInt.asIntN(32, value >> 32n))
  }
  return { low, high }
}

/** The check of one run of bytes, and how long the run is. */
export interface CheckedRun {
  readonly check: Buffer
  readonly bytes: number
}

/**
 * The check of runs of bytes joined, from the check and the length of each: what came before is
 * multiplied by x^(8 * length) modulo the polynomial, as zlib's crc32_combine does.
 */
export function joinCrcs(algorithm: CrcAlgorithm, runs: readonly CheckedRun[]): Buffer {
  const { bits } = polynomials[algorithm]
  const shifts = new Map<number, bigint>()
  let joined = 0n
  for (const { check, bytes } of runs) {
    // parts are nearly all of one length, and finding its shift is the slow half
    const shift = shifts.get(bytes) ?? shiftOf(algorithm, bytes)
    shifts.set(bytes, shift)
    joined = multiply(algorithm, shift, joined) ^ BigInt(`0x${check.toString('hex')}`)
  }
  return Buffer.from(joined.toString(16).padStart(Number(bits) / 4, '0'), 'hex')
}

/** x^(8 * bytes), modulo the check's polynomial. */
function shiftOf(algorithm: CrcAlgorithm, bytes: number): bigint {
  const one = 1n << (polynomials[algorithm].bits - 1n)
  let shift = one
  let power = one >> 8n
  for (let length = BigInt(bytes); length > 0n; length >>= 1n) {
    if (length & 1n) shift = multiply(algorithm, shift, power)
    power = multiply(algorithm, power, power)
  }
  return shift
}

/** The product of two reflected polynomials, modulo the check's own. */
function multiply(algorithm: CrcAlgorithm, a: bigint, b: bigint): bigint {
  const { bits, reflected } = polynomials[algorithm]
  let product = 0n
  for (let mask = 1n << (bits - 1n), factor = b; mask > 0n; mask >>= 1n) {
    if (a & mask) product ^= factor
    factor = (factor >> 1n) ^ (factor & 1n ? reflected : 0n)
  }
  return product
}
