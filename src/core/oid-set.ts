import { OID_BYTES, oidBytes, type Oid } from "./oid.js"

/**
 * Finds oids among many that stand one behind the other, some more than once. A slot holds the place of one, counted from
 * one on; nothing is 0.
 */
export class OidSet {
  readonly #oids: Uint8Array
  readonly #slots: Uint32Array
  readonly #mask: number

  constructor(oids: Uint8Array) {
    const count = oids.length / OID_BYTES
    this.#oids = oids
    this.#mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1
    this.#slots = new Uint32Array(this.#mask + 1)
    for (let i = 0; i < count; i++) {
      this.#slots[this.#slotOf(oids, i * OID_BYTES)] = i + 1
    }
  }

  has(oid: Oid): boolean {
    return this.place(oidBytes(oid)) !== undefined
  }

  /** Where the oid whose 20 bytes stand at `at` stands among the many, counted from 0; of those that are alike, one. */
  place(bytes: Uint8Array, at = 0): number | undefined {
    const slot = this.#slots[this.#slotOf(bytes, at)] as number
    return slot === 0 ? undefined : slot - 1
  }

  /** The slot that has the oid at `at`, or else the free one for it. */
  #slotOf(bytes: Uint8Array, at: number): number {
    for (let slot = this.#first(bytes, at); ; slot = (slot + 1) & this.#mask) {
      const found = this.#slots[slot] as number
      if (found === 0 || isSameOid(this.#oids, (found - 1) * OID_BYTES, bytes, at)) return slot
    }
  }

  /** Oids are as good as random: four bytes say where to look first. */
  #first(bytes: Uint8Array, at: number): number {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
    return (low | ((bytes[at + 3] as number) << 24)) & this.#mask
  }
}

function isSameOid(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  for (let i = 0; i < OID_BYTES; i++) if (a[atA + i] !== b[atB + i]) return false
  return true
}
