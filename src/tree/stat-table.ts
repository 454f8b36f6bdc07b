/*
 * What a capture found at each path, as a table: a row for each folder, file and link that it took, and for each file
 * that it left out and may take next time. The root's row is the first; what is in a folder comes right behind its row.
 *
 *   mtime, ctime, inode, size   8 bytes each; times in nanoseconds
 *   permissions                 4 bytes
 *   end                         4 bytes: the row behind the last one inside; of anything but a folder, the next row
 *   name start                  4 bytes: where its name starts in the text of all names; one more for the end
 *   oid                         20 bytes: of the blob, or of the folder's tree; zeros for none
 *   kind                        1 byte
 *   marks                       1 byte
 *   names                       as UTF-8
 *
 * The columns lie in one buffer that threads can share, so that many rows can be compared with the file system at once.
 */
import { utf8 } from "../core/bytes.js"
import { OID_BYTES, oidAt, putOid, type Oid } from "../core/oid.js"
import { FILE_ROW, FOLDER_ROW, LINK_ROW, type StatColumns } from "../core/stat-checker.js"
import type { Mode, TreeEntry } from "../core/tree.js"

/** The row counts for as long as nothing shows that its path changed. */
export const SURE = 1
/** Of a folder: something in it was left out, and is looked at again when anything changes. */
export const HAS_LEFT_OUT = 2
/** Of a folder: there is nothing at all in it. */
export const EMPTY = 4
/** Of a file: it is executable, as the tree has it. */
export const EXECUTABLE = 8

/** A table. */
export interface StatTable extends StatColumns {
  /** All columns, one behind the other. */
  readonly bytes: Uint8Array
  readonly oids: Uint8Array
  readonly marks: Uint8Array
}

/** A table with the text of its names. */
export interface NamedTable {
  readonly table: StatTable
  readonly names: string
}

/** A row as it comes in. */
export interface StatRow {
  readonly kind: number
  readonly name: string
  readonly marks: number
  readonly permissions: number
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly oid: Oid | undefined
}

/** The table of `count` rows in the bytes at the start of `buffer`. */
export function viewTable(buffer: ArrayBufferLike, count: number, namesBytes: number): StatTable {
  let at = 0
  const take = (bytes: number): number => (at += bytes) - bytes
  return {
    count,
    mtimes: new BigInt64Array(buffer, take(8 * count), count),
    ctimes: new BigInt64Array(buffer, take(8 * count), count),
    inodes: new BigInt64Array(buffer, take(8 * count), count),
    sizes: new Float64Array(buffer, take(8 * count), count),
    permissions: new Uint32Array(buffer, take(4 * count), count),
    ends: new Uint32Array(buffer, take(4 * count), count),
    nameStarts: new Uint32Array(buffer, take(4 * (count + 1)), count + 1),
    oids: new Uint8Array(buffer, take(OID_BYTES * count), OID_BYTES * count),
    kinds: new Uint8Array(buffer, take(count), count),
    marks: new Uint8Array(buffer, take(count), count),
    names: new Uint8Array(buffer, take(namesBytes), namesBytes),
    bytes: new Uint8Array(buffer, 0, at),
  }
}

/** How many bytes the columns of a table take. */
export function tableBytes(count: number, namesBytes: number): number {
  return ROW_BYTES * count + 4 + namesBytes
}

const ROW_BYTES = 4 * 8 + 3 * 4 + OID_BYTES + 2

/** Whether the columns belong together, so that no walk over them goes astray. */
export function isSound({ count, ends, kinds, nameStarts }: StatTable): boolean {
  if (count === 0 || ends[0] !== count || kinds[0] !== FOLDER_ROW || nameStarts[0] !== 0) return false
  /** The ends of the folders around the innermost one, and its own. */
  const outer: number[] = []
  let innermost = count
  for (let row = 0; row < count; row++) {
    while (row === innermost) innermost = outer.pop() ?? count
    const end = ends[row] as number
    const isFolder = kinds[row] === FOLDER_ROW
    if (isFolder ? end <= row || end > innermost : end !== row + 1) return false
    if (isFolder) {
      outer.push(innermost)
      innermost = end
    }
    if ((nameStarts[row + 1] as number) < (nameStarts[row] as number)) return false
  }
  return true
}

/** The oid of a row. */
export function oidOf(table: StatTable, row: number): Oid {
  return oidAt(table.oids, row * OID_BYTES)
}

/** Writes a table from its first row to its last. */
export class StatTableWriter {
  #rows = viewTable(new ArrayBuffer(tableBytes(FIRST_ROWS, 0)), FIRST_ROWS, 0)
  #count = 0
  readonly #names: string[] = []
  #namesLength = 0

  /** Puts a row; what is in a folder comes next, and `close` behind it. Gives its number. */
  add(row: StatRow): number {
    this.#makeRoom(1)
    const at = this.#count++
    const rows = this.#rows
    rows.mtimes[at] = row.mtimeNs
    rows.ctimes[at] = row.ctimeNs
    rows.inodes[at] = row.inode
    rows.sizes[at] = row.sizeBytes
    rows.permissions[at] = row.permissions
    rows.ends[at] = at + 1
    rows.nameStarts[at] = this.#namesLength
    if (row.oid !== undefined) putOid(row.oid, rows.oids, at * OID_BYTES)
    rows.kinds[at] = row.kind
    rows.marks[at] = row.marks
    this.#names.push(row.name)
    this.#namesLength += row.name.length
    return at
  }

  /** Ends the folder at row `at`. */
  close(at: number): void {
    this.#rows.ends[at] = this.#count
  }

  /** Takes it back that row `at` can be counted on. */
  doubt(at: number): void {
    const { marks } = this.#rows
    marks[at] = (marks[at] as number) & ~SURE
  }

  /** Puts the row of a folder from another table, with another tree and more marks; as `add` otherwise. */
  addFolder(from: NamedTable, row: number, marks: number, tree: Oid | undefined): number {
    const at = this.copy(from, row, row + 1)
    const { oids } = this.#rows
    if (tree === undefined) oids.fill(0, at * OID_BYTES, (at + 1) * OID_BYTES)
    else putOid(tree, oids, at * OID_BYTES)
    this.#rows.marks[at] = (this.#rows.marks[at] as number) | marks
    return at
  }

  /** Puts the rows of another table from `start` up to `end` as they are: paths with all that is in them. Gives the number of the first. */
  copy({ table, names }: NamedTable, start: number, end: number): number {
    const length = end - start
    this.#makeRoom(length)
    const to = this.#count
    const rows = this.#rows
    for (const column of ["mtimes", "ctimes", "inodes"] as const)
      rows[column].set(table[column].subarray(start, end), to)
    rows.sizes.set(table.sizes.subarray(start, end), to)
    rows.permissions.set(table.permissions.subarray(start, end), to)
    rows.kinds.set(table.kinds.subarray(start, end), to)
    rows.marks.set(table.marks.subarray(start, end), to)
    rows.oids.set(table.oids.subarray(start * OID_BYTES, end * OID_BYTES), to * OID_BYTES)
    const [firstName, lastName] = [table.nameStarts[start] as number, table.nameStarts[end] as number]
    for (let i = 0; i < length; i++) {
      rows.ends[to + i] = (table.ends[start + i] as number) - start + to
      rows.nameStarts[to + i] = (table.nameStarts[start + i] as number) - firstName + this.#namesLength
    }
    this.#names.push(names.slice(firstName, lastName))
    this.#namesLength += lastName - firstName
    this.#count += length
    return to
  }

  /** The whole table, in a buffer that threads can share where there is such a thing. */
  finish(): NamedTable {
    const names = this.#names.join("")
    const encoded = utf8(names)
    const bytes = tableBytes(this.#count, encoded.length)
    const table = viewTable(sharedBuffer(bytes), this.#count, encoded.length)
    copyRows(this.#rows, table, this.#count)
    table.nameStarts[this.#count] = this.#namesLength
    table.names.set(encoded)
    return { table, names }
  }

  #makeRoom(rows: number): void {
    const { count } = this.#rows
    if (this.#count + rows <= count) return
    const room = Math.max(2 * count, this.#count + rows)
    const larger = viewTable(new ArrayBuffer(tableBytes(room, 0)), room, 0)
    copyRows(this.#rows, larger, this.#count)
    this.#rows = larger
  }
}

const FIRST_ROWS = 256

function copyRows(from: StatTable, to: StatTable, count: number): void {
  for (const column of ["mtimes", "ctimes", "inodes"] as const) to[column].set(from[column].subarray(0, count))
  to.sizes.set(from.sizes.subarray(0, count))
  for (const column of ["permissions", "ends", "nameStarts"] as const) to[column].set(from[column].subarray(0, count))
  to.oids.set(from.oids.subarray(0, count * OID_BYTES))
  for (const column of ["kinds", "marks"] as const) to[column].set(from[column].subarray(0, count))
}

/** A buffer for a table. Pages that are not isolated have none that threads share. */
export function sharedBuffer(bytes: number): ArrayBufferLike {
  return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes)
}

/** The name in a row. */
export function nameIn({ table, names }: NamedTable, row: number): string {
  return names.slice(table.nameStarts[row], table.nameStarts[row + 1])
}

/** The row of a file or link as an entry of a tree; undefined for any other. */
export function entryOf(seen: NamedTable, row: number): TreeEntry | undefined {
  const { table } = seen
  const kind = table.kinds[row]
  if (kind !== FILE_ROW && kind !== LINK_ROW) return undefined
  const isExecutable = ((table.marks[row] as number) & EXECUTABLE) !== 0
  const mode: Mode = kind === LINK_ROW ? "120000" : isExecutable ? "100755" : "100644"
  return { mode, name: nameIn(seen, row), oid: oidOf(table, row) }
}
