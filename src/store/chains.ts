import type { Oid } from "../core/oid.js"

/** Which objects are built on which: how many steps each is away from one that stands whole, and how many others are from it. */
export class Chains {
  readonly #bases = new Map<Oid, Oid>()
  /** The most steps that lead to an object from one that is built on it. */
  readonly #heights = new Map<Oid, number>()

  /** Notes that `oid` is built on `base`. */
  add(oid: Oid, base: Oid): void {
    this.#bases.set(oid, base)
    let height = this.#heightOf(oid)
    for (let at: Oid | undefined = base; at !== undefined; at = this.#bases.get(at)) {
      height++
      // A damaged pack may have chains that lead back to themselves.
      if (at === oid || height > LONGEST) return
      if (this.#heightOf(at) >= height) return
      this.#heights.set(at, height)
    }
  }

  /** Whether no chain would be longer than `most` steps, or lead back to itself, if `oid` were built on `base`. */
  isFree(oid: Oid, base: Oid, most: number): boolean {
    let steps = 1 + this.#heightOf(oid)
    for (let at: Oid | undefined = base; at !== undefined; at = this.#bases.get(at)) {
      if (at === oid || steps > most) return false
      steps++
    }
    return true
  }

  #heightOf(oid: Oid): number {
    return this.#heights.get(oid) ?? 0
  }
}

const LONGEST = 4096
