import type { PackIndex } from "../core/pack-index.js"

/** A pack in which something is reached. */
export interface LivePack {
  /** Of its files, without extension. */
  readonly path: string
  readonly index: PackIndex
  /** With the dot: those of the pack, its index, and what Git puts beside them. */
  readonly extensions: ReadonlySet<string>
  /** Of the pack alone. */
  readonly sizeBytes: number
  readonly mtimeNs: bigint
}
