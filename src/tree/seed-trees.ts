import type { Hasher } from "../core/hasher.js"
import { objectHeader } from "../core/object.js"
import { OID_BYTES } from "../core/oid.js"
import { encodeName } from "../core/path.js"
import { FILE_ROW, FOLDER_ROW } from "../core/stat-checker.js"
import { pauses } from "../core/turns.js"
import { utf8 } from "../core/bytes.js"
import { EXECUTABLE, nameIn, type NamedTable } from "./stat-table.js"

/**
 * Puts into each folder's row the oid of the tree of its rows, which have to be in Git's order, and into `sizes` the
 * length of each such tree by row, 0 for folders without any file. Of thousands of entries at once nothing is made but
 * their bytes.
 */
export async function seedTrees(hasher: Hasher, seen: NamedTable, sizes: Float64Array): Promise<void> {
  const { table } = seen
  const tree = new TreeBytes(seen)
  const pause = pauses()
  // What is in a folder comes behind it, so from the end on children come first.
  for (let folder = table.count - 1; folder >= 0; folder--) {
    if (table.kinds[folder] !== FOLDER_ROW) continue
    const length = tree.fill(folder, sizes)
    sizes[folder] = length
    if (length === 0) continue
    const hash = hasher.sha1([tree.object()])
    const oid = hash instanceof Uint8Array ? hash : await hash
    for (let i = 0; i < OID_BYTES; i++) table.oids[folder * OID_BYTES + i] = oid[i] as number
    const pausing = pause()
    if (pausing !== undefined) await pausing
  }
}

/** The bytes of one tree after the other, in the same place, with room for an object's header before them. */
class TreeBytes {
  readonly #seen: NamedTable
  /** Names stand in the table as bytes, one for each unit of their text. */
  readonly #isAscii: boolean
  #buffer = new Uint8Array(64 * 1024)
  #length = HEADER_ROOM

  constructor(seen: NamedTable) {
    this.#seen = seen
    this.#isAscii = seen.names.length === seen.table.names.length
  }

  /** Makes the tree of what is in a folder; gives its length. `sizes` are those of the folders inside. */
  fill(folder: number, sizes: Float64Array): number {
    const { kinds, ends } = this.#seen.table
    this.#length = HEADER_ROOM
    for (let row = folder + 1; row < (ends[folder] as number); row = ends[row] as number)
      if (kinds[row] !== FOLDER_ROW || sizes[row] !== 0) this.#add(row)
    return this.#length - HEADER_ROOM
  }

  /** The tree with its header. */
  object(): Uint8Array {
    const header = objectHeader("tree", this.#length - HEADER_ROOM)
    this.#buffer.set(header, HEADER_ROOM - header.length)
    return this.#buffer.subarray(HEADER_ROOM - header.length, this.#length)
  }

  #add(row: number): void {
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
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

function modeOf({ table }: NamedTable, row: number): Uint8Array {
  if (table.kinds[row] === FOLDER_ROW) return FOLDER
  if (table.kinds[row] !== FILE_ROW) return LINK
  return ((table.marks[row] as number) & EXECUTABLE) === 0 ? PLAIN_FILE : EXECUTABLE_FILE
}

/** "tree", a space, a length, NUL. */
const HEADER_ROOM = 32
const [FOLDER, LINK, PLAIN_FILE, EXECUTABLE_FILE] = [utf8("40000 "), utf8("120000 "), utf8("100644 "), utf8("100755 ")]
