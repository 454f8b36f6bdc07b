import type { Seed } from "../core/tree-capture.js"
import { FILE_ROW, LINK_ROW } from "../core/stat-checker.js"
import { knownRoot, type KnownFolder } from "./known-tree.js"
import type { NamedTable } from "./stat-table.js"

/** The files of an index that are as it says, and whose contents the store holds. */
export class SeedView implements Seed {
  readonly files: number
  readonly root: KnownFolder

  /** `isChanged` has 1 for each row that does not count. */
  constructor(seen: NamedTable, isChanged: Uint8Array) {
    const { kinds } = seen.table
    this.files = kinds.filter((kind, row) => isChanged[row] === 0 && (kind === FILE_ROW || kind === LINK_ROW)).length
    this.root = knownRoot(seen, isChanged, false)
  }
}
