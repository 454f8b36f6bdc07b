import { equalBytes } from "./bytes.js"
import type { IndexColumns } from "./index-columns.js"

/** The paths of an index, to be looked up by their bytes; with `ignoreCase` by those of their lower-case spelling. */
export class OrderedPaths {
  readonly #bytes: Uint8Array
  readonly #ends: Uint32Array
  /** The entries in the order of their paths; undefined where they stand in it, as Git keeps them while letters are themselves. */
  readonly #order: Uint32Array | undefined

  constructor({ count, paths }: IndexColumns, ignoreCase: boolean) {
    this.#bytes = ignoreCase ? paths.bytes.map(lowerByte) : paths.bytes
    this.#ends = paths.ends
    let isInOrder = true
    for (let i = 1; i < count && isInOrder; i++)
      isInOrder = this.#compare(i - 1, this.#bytes, this.#start(i), this.#end(i)) <= 0
    if (isInOrder) return
    const entries = Uint32Array.from({ length: count }, (_, i) => i)
    this.#order = entries.sort((a, b) => this.#compare(a, this.#bytes, this.#start(b), this.#end(b)))
  }

  has(path: Uint8Array): boolean {
    const found = this.#from(path)
    return found !== undefined && this.#compare(found, path, 0, path.length) === 0
  }

  /** Whether one of them begins so. */
  hasBeginning(start: Uint8Array): boolean {
    const found = this.#from(start)
    if (found === undefined) return false
    return equalBytes(this.#bytes.subarray(this.#start(found), this.#end(found)).subarray(0, start.length), start)
  }

  /** The first entry whose path does not sort before `path`. */
  #from(path: Uint8Array): number | undefined {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(this.#at(middle), path, 0, path.length) < 0) low = middle + 1
      else high = middle
    }
    return low < this.#ends.length ? this.#at(low) : undefined
  }

  #at(place: number): number {
    return this.#order === undefined ? place : (this.#order[place] as number)
  }

  #start(entry: number): number {
    return entry === 0 ? 0 : (this.#ends[entry - 1] as number)
  }

  #end(entry: number): number {
    return this.#ends[entry] as number
  }

  /** Compares the path of an entry with those bytes of `other`, byte by byte. */
  #compare(entry: number, other: Uint8Array, otherStart: number, otherEnd: number): number {
    const bytes = this.#bytes
    const start = this.#start(entry)
    const length = this.#end(entry) - start
    const shared = Math.min(length, otherEnd - otherStart)
    for (let i = 0; i < shared; i++) {
      const difference = (bytes[start + i] as number) - (other[otherStart + i] as number)
      if (difference !== 0) return difference
    }
    return length - (otherEnd - otherStart)
  }
}

function lowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte
}
