import { LRUCache } from "lru-cache"
import type { GitObject } from "../core/object.js"

/** Objects that deltas were lately applied to, by pack and offset: the next delta often needs the same one. Not verified. */
export class DeltaBases {
  readonly #cache: LRUCache<string, GitObject>

  constructor(maxBytes: number) {
    this.#cache = new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: Math.max(1, Math.floor(maxBytes / 4)),
      sizeCalculation: ({ bytes }) => bytes.length + ENTRY_BYTES,
    })
  }

  get(pack: string, offset: number): GitObject | undefined {
    return this.#cache.get(`${pack}:${offset}`)
  }

  set(pack: string, offset: number, object: GitObject): void {
    this.#cache.set(`${pack}:${offset}`, object)
  }

  clear(): void {
    this.#cache.clear()
  }
}

/** What an entry takes beside its bytes, roughly. */
const ENTRY_BYTES = 200
