/*
 * Makes deltas; core/delta.ts has their form. What both objects begin and end with is found first, which is all where one
 * place changed. What is left of the base is known by every 16th of its positions: the 16 bytes from there on make a number,
 * and the bytes of the result make such a number at each position.
 */

/**
 * A delta that makes `result` of `base`; undefined when it would be longer than `mostBytes`. Neither may have 2 GiB or
 * more.
 */
export function makeDelta(base: Uint8Array, result: Uint8Array, mostBytes: number): Uint8Array | undefined {
  const delta = new DeltaWriter(base, result, mostBytes)
  const start = sharedStart(base, result)
  const end = sharedEnd(base, result, start)
  delta.copy(0, start)
  const [baseEnd, resultEnd] = [base.length - end, result.length - end]
  // What a long middle has may stand anywhere in the base.
  const isLong = resultEnd - start >= LONG_MIDDLE
  const blocks = isLong ? new Blocks(base, 0, base.length) : new Blocks(base, start, baseEnd)
  const isWritten = putMiddle(delta, blocks, result, start, resultEnd)
  if (!isWritten) return undefined
  delta.copy(baseEnd, end)
  return delta.finish()
}

/** Writes what makes `result` from `from` up to `to`; false when it gets too long. */
function putMiddle(delta: DeltaWriter, blocks: Blocks, result: Uint8Array, from: number, to: number): boolean {
  /** Where the bytes begin that are not written yet. */
  let open = from
  let at = from
  let number = at + BLOCK <= to ? numberAt(result, at) : 0
  while (at + BLOCK <= to) {
    const found = blocks.longest(number, result, open, at, to)
    if (found === undefined) {
      if (delta.length + at - open > delta.mostBytes) return false
      if (at + BLOCK < to) number = nextNumber(number, result, at)
      at++
      continue
    }
    delta.insert(open, at - found.before)
    delta.copy(found.start - found.before, found.before + found.length)
    at += found.length
    open = at
    if (at + BLOCK <= to) number = numberAt(result, at)
  }
  delta.insert(open, to)
  return delta.length <= delta.mostBytes
}

interface Match {
  /** Where in the base it begins. */
  readonly start: number
  readonly length: number
  /** How many bytes before it are the same, too. */
  readonly before: number
}

/** A part of the base, by the numbers that the bytes of its blocks make. */
class Blocks {
  readonly #base: Uint8Array
  readonly #from: number
  readonly #to: number
  /** By a number's lowest bits: a block, counted from one on; 0 for none. */
  readonly #heads: Int32Array
  /** By block: another one whose number has these bits. */
  readonly #next: Int32Array
  readonly #mask: number

  constructor(base: Uint8Array, from: number, to: number) {
    this.#base = base
    this.#from = from
    this.#to = to
    const count = Math.max(0, Math.floor((to - from) / BLOCK))
    const slots = 2 ** Math.ceil(Math.log2(count + 1))
    this.#mask = slots - 1
    this.#heads = new Int32Array(slots)
    this.#next = new Int32Array(count + 1)
    // The first of several that are the same comes first.
    for (let block = count; block > 0; block--) {
      const slot = slotOf(numberAt(base, from + (block - 1) * BLOCK), this.#mask)
      this.#next[block] = this.#heads[slot] as number
      this.#heads[slot] = block
    }
  }

  /** The longest match for `result` at `at`; bytes from `open` on may come with it. */
  longest(number: number, result: Uint8Array, open: number, at: number, to: number): Match | undefined {
    let best: Match | undefined
    let block = this.#heads[slotOf(number, this.#mask)] as number
    for (let tries = 0; block !== 0 && tries < TRIES; tries++) {
      const start = this.#from + (block - 1) * BLOCK
      const length = this.#matching(start, result, at, to)
      if (length >= BLOCK && length > (best?.length ?? 0)) best = { start, length, before: 0 }
      block = this.#next[block] as number
    }
    if (best === undefined) return undefined
    let before = 0
    while (
      at - before > open &&
      best.start - before > this.#from &&
      this.#same(best.start - before - 1, result, at - before - 1)
    )
      before++
    return { ...best, before }
  }

  #matching(start: number, result: Uint8Array, at: number, to: number): number {
    const most = Math.min(this.#to - start, to - at)
    let length = 0
    while (length < most && this.#same(start + length, result, at + length)) length++
    return length
  }

  #same(inBase: number, result: Uint8Array, at: number): boolean {
    return this.#base[inBase] === result[at]
  }
}

class DeltaWriter {
  readonly mostBytes: number
  readonly #result: Uint8Array
  #bytes = new Uint8Array(256)
  length = 0

  constructor(base: Uint8Array, result: Uint8Array, mostBytes: number) {
    this.mostBytes = mostBytes
    this.#result = result
    this.#putSize(base.length)
    this.#putSize(result.length)
  }

  /** Copies bytes of the base. */
  copy(start: number, count: number): void {
    for (let done = 0; done < count; done += LONGEST_COPY)
      this.#putCopy(start + done, Math.min(LONGEST_COPY, count - done))
  }

  /** Inserts bytes of the result. */
  insert(from: number, to: number): void {
    this.#makeRoom(to - from + Math.ceil((to - from) / LONGEST_INSERT))
    for (let at = from; at < to; at += LONGEST_INSERT) {
      const end = Math.min(to, at + LONGEST_INSERT)
      this.#bytes[this.length++] = end - at
      this.#bytes.set(this.#result.subarray(at, end), this.length)
      this.length += end - at
    }
  }

  finish(): Uint8Array | undefined {
    return this.length <= this.mostBytes ? this.#bytes.slice(0, this.length) : undefined
  }

  #putCopy(start: number, count: number): void {
    this.#makeRoom(8)
    const at = this.length++
    let instruction = 0x80
    for (let i = 0; i < 4; i++) {
      const byte = (start >>> (8 * i)) & 0xff
      if (byte === 0) continue
      instruction |= 1 << i
      this.#bytes[this.length++] = byte
    }
    // All of 65,536 is said by no byte at all.
    for (let i = 0; i < 3 && count !== 0x10000; i++) {
      const byte = (count >>> (8 * i)) & 0xff
      if (byte === 0) continue
      instruction |= 16 << i
      this.#bytes[this.length++] = byte
    }
    this.#bytes[at] = instruction
  }

  #putSize(size: number): void {
    this.#makeRoom(8)
    let left = size
    for (; left >= 0x80; left = Math.floor(left / 0x80)) this.#bytes[this.length++] = 0x80 | (left & 0x7f)
    this.#bytes[this.length++] = left
  }

  #makeRoom(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + bytes))
    larger.set(this.#bytes.subarray(0, this.length))
    this.#bytes = larger
  }
}

function sharedStart(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length++
  return length
}

function sharedEnd(a: Uint8Array, b: Uint8Array, start: number): number {
  const most = Math.min(a.length, b.length) - start
  let length = 0
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length++
  return length
}

/** A number of the 16 bytes from `at` on: a polynomial in FACTOR, modulo 2 to the 32. */
function numberAt(bytes: Uint8Array, at: number): number {
  let number = 0
  for (let i = at; i < at + BLOCK; i++) number = (Math.imul(number, FACTOR) + (bytes[i] as number)) | 0
  return number
}

/** The number from `at + 1` on, of the one from `at` on. */
function nextNumber(number: number, bytes: Uint8Array, at: number): number {
  const rest = number - Math.imul(bytes[at] as number, FIRST_FACTOR)
  return (Math.imul(rest, FACTOR) + (bytes[at + BLOCK] as number)) | 0
}

/** The bits are mixed: the lowest ones of the polynomial depend on the lowest ones of the bytes only. */
function slotOf(number: number, mask: number): number {
  const mixed = Math.imul(number ^ (number >>> 15), 0x2c1b3c6d)
  return (mixed ^ (mixed >>> 13)) & mask
}

const BLOCK = 16
const LONG_MIDDLE = 1024
const FACTOR = 0x01000193
/** FACTOR to the 15: of the first of 16 bytes. */
const FIRST_FACTOR = Array.from({ length: BLOCK - 1 }).reduce<number>((power) => Math.imul(power, FACTOR), 1)
/** Blocks with one number are mostly alike, as empty ones are: looking at all of them could take for ever. */
const TRIES = 16
/** Git copies no more with one instruction in packs of version 2. */
const LONGEST_COPY = 0x10000
const LONGEST_INSERT = 0x7f
