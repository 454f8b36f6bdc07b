import { concat, utf8 } from "../core/bytes.js"
import type { Hasher } from "../core/hasher.js"
import { objectHeader } from "../core/object.js"
import { OID_BYTES } from "../core/oid.js"
import { FILE_ROW, FOLDER_ROW } from "../core/stat-checker.js"
import { pauses } from "../core/turns.js"
import { EXECUTABLE, nameIn, type NamedTable } from "./stat-table.js"

/**
 * Puts into each folder's row the oid of the tree of its rows, which have to be in Git's order; gives the length of each
 * such tree by row, 0 for folders without any file.
 */
export async function seedTrees(hasher: Hasher, seen: NamedTable): Promise<Float64Array> {
  const { table } = seen
  const lengths = new Float64Array(table.count)
  const pause = pauses()
  // What is in a folder comes behind it, so from the end on children come first.
  for (let folder = table.count - 1; folder >= 0; folder--) {
    if (table.kinds[folder] !== FOLDER_ROW) continue
    await pause()
    const parts: Uint8Array[] = []
    for (let row = folder + 1; row < (table.ends[folder] as number); row = table.ends[row] as number) {
      if (table.kinds[row] === FOLDER_ROW && lengths[row] === 0) continue
      const oid = table.oids.subarray(row * OID_BYTES, (row + 1) * OID_BYTES)
      parts.push(utf8(`${modeOf(seen, row)} ${nameIn(seen, row)}\0`), oid)
    }
    if (parts.length === 0) continue
    const bytes = concat(parts)
    lengths[folder] = bytes.length
    table.oids.set(await hasher.sha1([objectHeader("tree", bytes.length), bytes]), folder * OID_BYTES)
  }
  return lengths
}

function modeOf({ table }: NamedTable, row: number): string {
  if (table.kinds[row] === FOLDER_ROW) return "40000"
  if (table.kinds[row] !== FILE_ROW) return "120000"
  return ((table.marks[row] as number) & EXECUTABLE) === 0 ? "100644" : "100755"
}
