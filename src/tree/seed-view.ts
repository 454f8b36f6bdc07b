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
    const { count, kinds } = seen.table
    let files = 0
    for (let row = 0; row < count; row++)
      if (isChanged[row] === 0 && (kinds[row] === FILE_ROW || kinds[row] === LINK_ROW)) files++
    this.files = files
    this.root = knownRoot(seen, isChanged, false)
  }
}
