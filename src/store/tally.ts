import type { Oid } from "../core/oid.js"
import type { Marks, OidNotes } from "./mark.js"
import type { StoredObjects } from "./stored-objects.js"

/** Marks that count what the objects take that are reached. */
export class Tally {
  readonly marks: Marks<OidNotes>
  readonly #stored: StoredObjects
  readonly #reached: Notes
  /** By place: it is among those that have to be kept. */
  readonly #kept: Uint8Array
  #copyBytes = 0
  #keptBytes = 0

  constructor(stored: StoredObjects) {
    this.#stored = stored
    this.#kept = new Uint8Array(stored.rows)
    this.#reached = new Notes(stored, (place) => {
      this.#copyBytes += stored.copyBytes[place] as number
      this.#keep(place)
    })
    this.marks = { reached: this.#reached, walked: new Notes(stored, () => {}) }
  }

  /** Bytes of all copies of what is reached. */
  get copyBytes(): number {
    return this.#copyBytes
  }

  /** Bytes that packs with nothing but what is reached take: each object once, what it builds on as a delta, and rows of an index. */
  get keptBytes(): number {
    return this.#keptBytes
  }

  /** Bytes of all copies of what is not reached. */
  get unreachedBytes(): number {
    return this.#stored.copyBytes.reduce((sum, bytes) => sum + bytes, 0) - this.#copyBytes
  }

  isReached(oid: Oid): boolean {
    return this.#reached.has(oid)
  }

  #keep(first: number): void {
    for (let at = first + 1; at > 0 && this.#kept[at - 1] === 0; at = this.#stored.bases[at - 1] as number) {
      this.#kept[at - 1] = 1
      this.#keptBytes += (this.#stored.largestBytes[at - 1] as number) + INDEX_ROW_BYTES
    }
  }
}

/** A byte for each stored object; those that are stored elsewhere are few. */
class Notes implements OidNotes {
  readonly #stored: StoredObjects
  readonly #onNew: (place: number) => void
  readonly #noted: Uint8Array
  readonly #elsewhere = new Set<Oid>()
  #count = 0

  constructor(stored: StoredObjects, onNew: (place: number) => void) {
    this.#stored = stored
    this.#onNew = onNew
    this.#noted = new Uint8Array(stored.rows)
  }

  get size(): number {
    return this.#count + this.#elsewhere.size
  }

  has(oid: Oid): boolean {
    const place = this.#stored.place(oid)
    return place === undefined ? this.#elsewhere.has(oid) : this.#noted[place] === 1
  }

  add(oid: Oid): void {
    const place = this.#stored.place(oid)
    if (place === undefined) this.#elsewhere.add(oid)
    else if (this.#noted[place] === 0) {
      this.#noted[place] = 1
      this.#count++
      this.#onNew(place)
    }
  }
}

/** An oid, a checksum and an offset, and some of what every index has. */
const INDEX_ROW_BYTES = 32
