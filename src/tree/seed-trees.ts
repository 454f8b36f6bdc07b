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
    tree.putOid(folder, oid)
    const pausing = pause()
    if (pausing !== undefined) await pausing
  }
}

/**
 * The bytes of one tree after the other, in the same place: behind a copy of all names and oids, since copying within one
 * array makes nothing.
 */
class TreeBytes {
  readonly #seen: NamedTable
  /** Names stand in the table as bytes, one for each unit of their text. */
  readonly #isAscii: boolean
  readonly #namesAt: number
  readonly #modesAt: number
  /** Where a tree begins, with room for an object's header before it. */
  readonly #treeAt: number
  #buffer: Uint8Array
  #length: number

  constructor(seen: NamedTable) {
    const { oids, names } = seen.table
    this.#seen = seen
    this.#isAscii = seen.names.length === names.length
    this.#namesAt = oids.length
    this.#modesAt = oids.length + names.length
    this.#treeAt = this.#modesAt + MODES.length + HEADER_ROOM
    this.#length = this.#treeAt
    this.#buffer = new Uint8Array(this.#treeAt + FIRST_BYTES)
    this.#buffer.set(oids)
    this.#buffer.set(names, this.#namesAt)
    this.#buffer.set(MODES, this.#modesAt)
  }

  /** Makes the tree of what is in a folder; gives its length. `sizes` are those of the folders inside. */
  fill(folder: number, sizes: Float64Array): number {
    const { kinds, ends } = this.#seen.table
    const end = ends[folder] as number
    this.#length = this.#treeAt
    for (let row = folder + 1; row < end; row = ends[row] as number)
      if (kinds[row] !== FOLDER_ROW || sizes[row] !== 0) this.#add(row)
    return this.#length - this.#treeAt
  }

  /** The tree with its header. */
  object(): Uint8Array {
    const header = objectHeader("tree", this.#length - this.#treeAt)
    const start = this.#treeAt - header.length
    this.#buffer.set(header, start)
    return this.#buffer.subarray(start, this.#length)
  }

  /** Puts the oid of a folder. */
  putOid(folder: number, oid: Uint8Array): void {
    this.#buffer.set(oid, folder * OID_BYTES)
    this.#seen.table.oids.set(oid, folder * OID_BYTES)
  }

  #add(row: number): void {
    const { nameStarts } = this.#seen.table
    const start = nameStarts[row] as number
    const end = nameStarts[row + 1] as number
    // A unit takes three bytes at most.
    this.#makeRoom(MODE_BYTES + 3 * (end - start) + 1 + OID_BYTES)
    const mode = this.#modesAt + MODE_BYTES * modeOf(this.#seen, row)
    const buffer = this.#buffer
    let to = this.#length
    // That of a folder is shorter.
    const skipped = buffer[mode] === 0 ? 1 : 0
    buffer.copyWithin(to, mode + skipped, mode + MODE_BYTES)
    to += MODE_BYTES - skipped
    if (this.#isAscii) {
      buffer.copyWithin(to, this.#namesAt + start, this.#namesAt + end)
      to += end - start
    } else {
      const name = encodeName(nameIn(this.#seen, row))
      buffer.set(name, to)
      to += name.length
    }
    buffer[to++] = 0
    buffer.copyWithin(to, row * OID_BYTES, (row + 1) * OID_BYTES)
    this.#length = to + OID_BYTES
  }

  #makeRoom(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = new Uint8Array(2 * this.#buffer.length + bytes)
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

/** The place of a row's mode among all modes. */
function modeOf({ table }: NamedTable, row: number): number {
  if (table.kinds[row] === FOLDER_ROW) return 0
  if (table.kinds[row] !== FILE_ROW) return 1
  return ((table.marks[row] as number) & EXECUTABLE) === 0 ? 2 : 3
}

const MODES = utf8("\x0040000 120000 100644 100755 ")
const MODE_BYTES = 7
/** "tree", a space, a length, NUL. */
const HEADER_ROOM = 32
const FIRST_BYTES = 64 * 1024
