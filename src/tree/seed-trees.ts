import type { Hasher } from "../core/hasher.js"
import { objectHeader } from "../core/object.js"
import { OID_BYTES } from "../core/oid.js"
import { encodeName } from "../core/path.js"
import { FILE_ROW, FOLDER_ROW } from "../core/stat-checker.js"
import { pauses } from "../core/turns.js"
import { utf8 } from "../core/bytes.js"
import { EXECUTABLE, nameIn, type NamedTable } from "./stat-table.js"

/**
 * Puts into each folder's row the oid of the tree of its rows, which have to be in Git's order; gives the length of each
 * such tree by row, 0 for folders without any file. Of thousands of entries at once nothing is made but their bytes.
 */
export async function seedTrees(hasher: Hasher, seen: NamedTable): Promise<Float64Array> {
  const { table } = seen
  const lengths = new Float64Array(table.count)
  const tree = new TreeBytes(seen)
  const pause = pauses()
  // What is in a folder comes behind it, so from the end on children come first.
  for (let folder = table.count - 1; folder >= 0; folder--) {
    if (table.kinds[folder] !== FOLDER_ROW) continue
    tree.clear()
    for (let row = folder + 1; row < (table.ends[folder] as number); row = table.ends[row] as number)
      if (table.kinds[row] !== FOLDER_ROW || lengths[row] !== 0) tree.add(row)
    const { bytes } = tree
    if (bytes.length === 0) continue
    lengths[folder] = bytes.length
    table.oids.set(await hasher.sha1([objectHeader("tree", bytes.length), bytes]), folder * OID_BYTES)
    await pause()
  }
  return lengths
}

/** The bytes of one tree after the other, in the same place. */
class TreeBytes {
  readonly #seen: NamedTable
  /** Names stand in the table as bytes, one for each unit of their text. */
  readonly #isAscii: boolean
  #buffer = new Uint8Array(64 * 1024)
  #length = 0

  constructor(seen: NamedTable) {
    this.#seen = seen
    this.#isAscii = seen.names.length === seen.table.names.length
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  add(row: number): void {
    const { table } = this.#seen
    const [from, to] = [table.nameStarts[row] as number, table.nameStarts[row + 1] as number]
    const name = this.#isAscii ? undefined : encodeName(nameIn(this.#seen, row))
    const mode = modeOf(this.#seen, row)
    this.#makeRoom(mode.length + (name?.length ?? to - from) + 1 + OID_BYTES)
    this.#put(mode, 0, mode.length)
    if (name === undefined) this.#put(table.names, from, to)
    else this.#put(name, 0, name.length)
    this.#buffer[this.#length++] = 0
    this.#put(table.oids, row * OID_BYTES, (row + 1) * OID_BYTES)
  }

  /** For so few bytes a loop takes less time than a view of them. */
  #put(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) this.#buffer[this.#length++] = bytes[at] as number
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = new Uint8Array(2 * this.#buffer.length + bytes)
    larger.set(this.bytes)
    this.#buffer = larger
  }
}

function modeOf({ table }: NamedTable, row: number): Uint8Array {
  if (table.kinds[row] === FOLDER_ROW) return FOLDER
  if (table.kinds[row] !== FILE_ROW) return LINK
  return ((table.marks[row] as number) & EXECUTABLE) === 0 ? PLAIN_FILE : EXECUTABLE_FILE
}

const [FOLDER, LINK, PLAIN_FILE, EXECUTABLE_FILE] = [utf8("40000 "), utf8("120000 "), utf8("100644 "), utf8("100755 ")]
