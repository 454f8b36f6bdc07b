/*
 * The first bytes of what a zlib stream holds. Of a delta they tell the size of its result; the whole machinery of a
 * stream for a few bytes would take ten times as long.
 *
 * Source: RFC 1950, RFC 1951
 */

/** The first `count` bytes of the content of the zlib stream at `at`, fewer when it is shorter; undefined when it is damaged or cut off before. */
export function inflateStart(bytes: Uint8Array, at: number, count: number): Uint8Array | undefined {
  const first = bytes[at] ?? 0
  const second = bytes[at + 1] ?? 0
  const isZlib = (first & 15) === 8 && ((first << 8) | second) % 31 === 0 && (second & 0x20) === 0
  if (!isZlib) return undefined
  const bits = new Bits(bytes, at + 2)
  const out = new Uint8Array(count)
  let length = 0
  for (let isLast = false; !isLast && length < count;) {
    isLast = bits.take(1) === 1
    const kind = bits.take(2)
    const end = kind === 0 ? stored(bits, out, length) : compressed(bits, kind, out, length)
    if (end === undefined || bits.isOver) return undefined
    length = end
  }
  return out.subarray(0, length)
}

class Bits {
  readonly bytes: Uint8Array
  /** The next byte to be held. */
  at: number
  /** Bits that were read and not taken, the next one lowest. */
  held = 0
  count = 0

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes
    this.at = at
  }

  /** More bits were taken than there are. */
  get isOver(): boolean {
    return this.at - (this.count >>> 3) > this.bytes.length
  }

  /** The next bits, the lowest first; at most 16. Behind the end they are 0. */
  take(count: number): number {
    this.#hold(count)
    const taken = this.held & ((1 << count) - 1)
    this.#drop(count)
    return taken
  }

  /** The symbol of the next code; undefined when there is none. Codes of one length are numbers one behind the other. */
  decode({ counts, symbols }: PrefixCode): number | undefined {
    this.#hold(MOST_CODE_BITS)
    let next = this.held
    let code = 0
    let first = 0
    let index = 0
    for (let length = 1; length <= MOST_CODE_BITS; length++) {
      code |= next & 1
      next >>>= 1
      const count = counts[length] as number
      if (code - count < first) {
        this.#drop(length)
        return symbols[index + code - first]
      }
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    this.#drop(MOST_CODE_BITS)
    return undefined
  }

  /** Goes on at the next whole byte. */
  align(): void {
    this.#drop(this.count % 8)
  }

  #hold(count: number): void {
    while (this.count < count) {
      this.held |= (this.bytes[this.at++] ?? 0) << this.count
      this.count += 8
    }
  }

  #drop(count: number): void {
    this.held >>>= count
    this.count -= count
  }
}

function stored(bits: Bits, out: Uint8Array, from: number): number | undefined {
  bits.align()
  const length = bits.take(16)
  if (bits.take(16) !== (length ^ 0xffff)) return undefined
  const end = Math.min(out.length, from + length)
  for (let at = from; at < end; at++) out[at] = bits.take(8)
  return end
}

function compressed(bits: Bits, kind: number, out: Uint8Array, from: number): number | undefined {
  const codes = kind === 1 ? FIXED : kind === 2 ? readCodes(bits) : undefined
  let at = from
  while (codes !== undefined && at < out.length) {
    const symbol = bits.decode(codes.literals)
    if (symbol === undefined || bits.isOver) return undefined
    if (symbol === END_OF_BLOCK) return at
    if (symbol < END_OF_BLOCK) {
      out[at++] = symbol
      continue
    }
    const length = extended(bits, LENGTHS, symbol - END_OF_BLOCK - 1)
    const distance = extended(bits, DISTANCES, bits.decode(codes.distances) ?? DISTANCES.length)
    if (length === undefined || distance === undefined || distance > at) return undefined
    const end = Math.min(out.length, at + length)
    for (; at < end; at++) out[at] = out[at - distance] as number
  }
  return codes === undefined ? undefined : at
}

/** A base and how many bits to add to it. */
type Extended = readonly [base: number, bits: number]

function extended(bits: Bits, table: readonly Extended[], symbol: number): number | undefined {
  const found = table[symbol]
  return found === undefined ? undefined : found[0] + bits.take(found[1])
}

/** A prefix code: how many symbols have a code of each length, and the symbols by their codes. */
interface PrefixCode {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

function newCode(symbols: number): PrefixCode {
  return { counts: new Uint16Array(MOST_CODE_BITS + 1), symbols: new Uint16Array(symbols) }
}

/** Makes `code` the one in which each symbol has a code of the length that stands in `lengths` from `start` up to `end`. */
function fillCode(code: PrefixCode, lengths: Uint8Array, start: number, end: number): PrefixCode {
  const { counts, symbols } = code
  counts.fill(0)
  for (let at = start; at < end; at++) counts[lengths[at] as number] = (counts[lengths[at] as number] as number) + 1
  counts[0] = 0
  NEXT[1] = 0
  for (let length = 1; length < MOST_CODE_BITS; length++)
    NEXT[length + 1] = (NEXT[length] as number) + (counts[length] as number)
  symbols.fill(0)
  for (let at = start; at < end; at++) {
    const length = lengths[at] as number
    if (length === 0) continue
    const place = NEXT[length] as number
    symbols[place] = at - start
    NEXT[length] = place + 1
  }
  return code
}

interface Codes {
  readonly literals: PrefixCode
  readonly distances: PrefixCode
}

/** The codes at the start of a block that has its own. */
function readCodes(bits: Bits): Codes | undefined {
  const literals = bits.take(5) + 257
  const distances = bits.take(5) + 1
  const ordered = bits.take(4) + 4
  LENGTHS_OF_CODES.fill(0)
  for (let i = 0; i < ordered; i++) LENGTHS_OF_CODES[LENGTH_ORDER[i] as number] = bits.take(3)
  fillLookup()
  if (!readLengths(bits, literals + distances)) return undefined
  fillCode(OWN.literals, CODE_LENGTHS, 0, literals)
  fillCode(OWN.distances, CODE_LENGTHS, literals, literals + distances)
  return OWN
}

/** Reads so many lengths of codes. They are nearly all that is read of most streams: here each step counts. */
function readLengths(bits: Bits, count: number): boolean {
  const { bytes } = bits
  let { at, held, count: heldBits } = bits
  for (let i = 0; i < count;) {
    // One code, and the bits that tell how often it counts.
    while (heldBits < 2 * LOOKUP_BITS) {
      held |= (bytes[at++] ?? 0) << heldBits
      heldBits += 8
    }
    const found = LOOKUP[held & LOOKUP_MASK] as number
    if (found === 0) return false
    held >>>= found & 7
    heldBits -= found & 7
    const symbol = found >>> 3
    if (symbol < 16) {
      CODE_LENGTHS[i++] = symbol
      continue
    }
    const more = symbol === 16 ? 2 : symbol === 17 ? 3 : 7
    const times = (symbol === 18 ? 11 : 3) + (held & ((1 << more) - 1))
    held >>>= more
    heldBits -= more
    if ((symbol === 16 && i === 0) || i + times > count) return false
    CODE_LENGTHS.fill(symbol === 16 ? (CODE_LENGTHS[i - 1] as number) : 0, i, i + times)
    i += times
  }
  bits.at = at
  bits.held = held
  bits.count = heldBits
  return !bits.isOver
}

/** For all that the next bits may be, from the lengths of the codes of code lengths: the symbol, and three bits with the length of its code. */
function fillLookup(): void {
  LOOKUP.fill(0)
  let code = 0
  for (let length = 1; length <= LOOKUP_BITS; length++, code <<= 1)
    for (let symbol = 0; symbol < LENGTHS_OF_CODES.length; symbol++) {
      if (LENGTHS_OF_CODES[symbol] !== length) continue
      // Codes stand with their highest bit first.
      let reversed = 0
      for (let bit = 0; bit < length; bit++) reversed |= ((code >>> bit) & 1) << (length - 1 - bit)
      for (let next = reversed; next <= LOOKUP_MASK; next += 1 << length) LOOKUP[next] = (symbol << 3) | length
      code++
    }
}

const MOST_CODE_BITS = 15
const END_OF_BLOCK = 256
/** The order in which the lengths of the code for code lengths stand. */
const LENGTH_ORDER: readonly number[] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

const LENGTHS: readonly Extended[] = [...stepped(3, 8, 4, 6), [258, 0]]
const DISTANCES: readonly Extended[] = stepped(1, 4, 2, 14)

/** The table from `start` on: `plain` values without added bits, then `each` for every number of bits below `bound`. */
function stepped(start: number, plain: number, each: number, bound: number): Extended[] {
  const table: Extended[] = []
  let base = start
  for (let i = 0; i < plain; i++) table.push([base++, 0])
  for (let bits = 1; bits < bound; bits++)
    for (let i = 0; i < each; i++) {
      table.push([base, bits])
      base += 2 ** bits
    }
  return table
}

/** Filled anew for each block: making them takes longer than all else. */
const NEXT = new Uint16Array(MOST_CODE_BITS + 1)
const LENGTHS_OF_CODES = new Uint8Array(LENGTH_ORDER.length)
const CODE_LENGTHS = new Uint8Array(288 + 32)
const LOOKUP_BITS = 7
const LOOKUP_MASK = 127
const LOOKUP = new Uint16Array(LOOKUP_MASK + 1)
const OWN: Codes = { literals: newCode(288), distances: newCode(32) }

const FIXED: Codes = {
  literals: fillCode(
    newCode(288),
    Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
    0,
    288,
  ),
  distances: fillCode(newCode(30), new Uint8Array(30).fill(5), 0, 30),
}
