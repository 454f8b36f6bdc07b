import { exactText, latinText } from "../core/bytes.js"
import { STAT_BYTES, type IndexColumns } from "../core/index-columns.js"
import { OID_BYTES } from "../core/oid.js"
import { decodeName, encodeName, isUnsafeName } from "../core/path.js"
import { FILE_ROW, FOLDER_ROW, LINK_ROW, pairsOf } from "../core/stat-checker.js"
import { pauses } from "../core/turns.js"
import { isRestoreName } from "./restore-name.js"
import { EXECUTABLE, sharedBuffer, tableBytes, viewTable, type NamedTable, type StatTable } from "./stat-table.js"

/**
 * A table of what an index tells of the files and links below `prefix`: of those that it vouches for, in the order of
 * their paths, with inodes and sizes as StatChecker.survey takes them. What is written in the same second as the index
 * may have been written once more since it was hashed, and is left out with all that Git itself would look at. Undefined
 * when the entries are in no order.
 */
export async function seedTable(
  index: IndexColumns,
  prefix: string,
  writtenSeconds: number,
): Promise<NamedTable | undefined> {
  const rows = new Rows(index, prefix === "" ? 0 : encodeName(prefix).length + 1)
  const inside = prefix === "" ? new Uint8Array(0) : encodeName(`${prefix}/`)
  const pause = pauses()
  for (let i = 0; i < index.count; i++) {
    if (i % PAUSE_ENTRIES === 0) await pause()
    if (!rows.isInside(i, inside) || !rows.isVouchedFor(i, writtenSeconds)) continue
    if (!rows.add(i)) return undefined
  }
  return rows.finish()
}

const PAUSE_ENTRIES = 1024

/** Rows for entries that come one after the other. Nothing is made for each of them but what it has in the columns. */
class Rows {
  readonly #index: IndexColumns
  readonly #view: DataView
  /** How many bytes of each path lead to the work tree. */
  readonly #skipped: number
  readonly #table: StatTable
  readonly #mtimes: Uint32Array
  readonly #ctimes: Uint32Array
  readonly #inodes: Uint32Array
  /** The folders that the last path is in, the root first: their rows, or LEFT, and where the names inside begin in the path. */
  readonly #open: number[] = [0]
  readonly #insideAt: number[]
  #count = 0
  #namesBytes = 0
  /** Names as UTF-16: a row tells where its name begins in the text of all names. */
  #namesLength = 0
  /** The path that was added last; of no length before the first. */
  #lastStart = 0
  #lastEnd = 0

  constructor(index: IndexColumns, skipped: number) {
    this.#index = index
    this.#view = new DataView(index.bytes.buffer, index.bytes.byteOffset, index.bytes.byteLength)
    this.#skipped = skipped
    this.#insideAt = [skipped]
    // Each path has at most one row for each of its bytes, and names no more bytes than the paths.
    const mostRows = 1 + index.count + countSlashes(index.paths)
    this.#table = viewTable(new ArrayBuffer(tableBytes(mostRows, index.paths.length)), mostRows, index.paths.length)
    this.#mtimes = pairsOf(this.#table.mtimes)
    this.#ctimes = pairsOf(this.#table.ctimes)
    this.#inodes = pairsOf(this.#table.inodes)
    this.#put(0, 0, FOLDER_ROW)
  }

  /** Whether the path of an entry begins with these bytes. */
  isInside(entry: number, start: Uint8Array): boolean {
    const at = this.#startOf(entry)
    if ((this.#index.ends[entry] as number) - at <= start.length) return false
    for (let i = 0; i < start.length; i++) if (this.#index.paths[at + i] !== start[i]) return false
    return true
  }

  isVouchedFor(entry: number, writtenSeconds: number): boolean {
    if (((this.#index.flags[entry] as number) & DOUBTFUL) !== 0) return false
    const mode = this.#number(entry, MODE)
    if (mode !== LINK && mode !== FILE && mode !== EXECUTABLE_FILE) return false
    return this.#number(entry, MTIME) < writtenSeconds && this.#number(entry, CTIME) < writtenSeconds
  }

  /** Adds the next entry; false when it does not come behind the last one. */
  add(entry: number): boolean {
    const { paths, ends } = this.#index
    const [start, end] = [this.#startOf(entry), ends[entry] as number]
    const shared = this.#sharedWithLast(start, end)
    if (shared < 0) return false
    // Folders whose slash is not among the shared bytes are left.
    while ((this.#insideAt.at(-1) as number) > shared) this.#close()
    let nameAt = start + (this.#insideAt.at(-1) as number)
    for (let at = nameAt; at < end; at++) {
      if (paths[at] !== SLASH) continue
      const isLeft = this.#open.at(-1) === LEFT || this.#isLeftToScan(nameAt, at)
      this.#open.push(isLeft ? LEFT : this.#put(nameAt, at, FOLDER_ROW))
      this.#insideAt.push(at + 1 - start)
      nameAt = at + 1
    }
    this.#lastStart = start
    this.#lastEnd = end
    if (this.#open.at(-1) !== LEFT && !this.#isLeftToScan(nameAt, end)) this.#putFile(entry, nameAt, end)
    return true
  }

  finish(): NamedTable {
    while (this.#open.length > 0) this.#close()
    const count = this.#count
    const from = this.#table
    const table = viewTable(sharedBuffer(tableBytes(count, this.#namesBytes)), count, this.#namesBytes)
    for (const column of ["mtimes", "ctimes", "inodes"] as const) table[column].set(from[column].subarray(0, count))
    for (const column of ["ends", "nameStarts"] as const) table[column].set(from[column].subarray(0, count))
    for (const column of ["kinds", "marks"] as const) table[column].set(from[column].subarray(0, count))
    table.sizes.set(from.sizes.subarray(0, count))
    table.oids.set(from.oids.subarray(0, count * OID_BYTES))
    table.nameStarts[count] = this.#namesLength
    const names = from.names.subarray(0, this.#namesBytes)
    table.names.set(names)
    // What is no UTF-8 is left to the scan.
    return { table, names: exactText(names) as string }
  }

  #startOf(entry: number): number {
    return entry === 0 ? 0 : (this.#index.ends[entry - 1] as number)
  }

  #number(entry: number, field: number): number {
    return this.#view.getUint32((this.#index.starts[entry] as number) + 4 * field)
  }

  /** How many bytes a path begins with that the last one begins with; negative when it does not come behind that one. */
  #sharedWithLast(start: number, end: number): number {
    const { paths } = this.#index
    const lastLength = this.#lastEnd - this.#lastStart
    const most = Math.min(end - start, lastLength)
    for (let i = 0; i < most; i++) {
      const difference = (paths[start + i] as number) - (paths[this.#lastStart + i] as number)
      if (difference !== 0) return difference > 0 ? i : -1
    }
    return end - start > lastLength ? Math.max(most, this.#skipped) : -1
  }

  #close(): void {
    const row = this.#open.pop() as number
    this.#insideAt.pop()
    if (row !== LEFT) this.#table.ends[row] = this.#count
  }

  #putFile(entry: number, nameAt: number, end: number): void {
    const row = this.#put(nameAt, end, FILE_ROW)
    const table = this.#table
    const mode = this.#number(entry, MODE)
    if (mode === LINK) table.kinds[row] = LINK_ROW
    if (mode === EXECUTABLE_FILE) table.marks[row] = EXECUTABLE
    putTime(this.#mtimes, row, this.#number(entry, MTIME), this.#number(entry, MTIME + 1))
    putTime(this.#ctimes, row, this.#number(entry, CTIME), this.#number(entry, CTIME + 1))
    this.#inodes[2 * row] = this.#number(entry, INODE)
    table.sizes[row] = this.#number(entry, SIZE)
    const oidAt = (this.#index.starts[entry] as number) + STAT_BYTES
    // For so few bytes a loop takes less time than a view of them.
    for (let i = 0; i < OID_BYTES; i++) table.oids[row * OID_BYTES + i] = this.#index.bytes[oidAt + i] as number
  }

  #put(nameAt: number, nameEnd: number, kind: number): number {
    const row = this.#count++
    const { kinds, ends, nameStarts, names } = this.#table
    kinds[row] = kind
    ends[row] = row + 1
    nameStarts[row] = this.#namesLength
    for (let at = nameAt; at < nameEnd; at++) {
      const byte = this.#index.paths[at] as number
      names[this.#namesBytes++] = byte
      this.#namesLength += byte < 0x80 ? 1 : byte < 0xc0 ? 0 : byte < 0xf0 ? 1 : 2
    }
    return row
  }

  /** Names that a capture reports or passes over, and those that may stand for other bytes when they are listed. */
  #isLeftToScan(start: number, end: number): boolean {
    const { paths } = this.#index
    let isPlain = start < end && paths[start] !== DOT
    for (let at = start; isPlain && at < end; at++) isPlain = PLAIN[paths[at] as number] === 1
    if (isPlain) return false
    const name = decodeName(paths.subarray(start, end))
    return isUnsafeName(name) || isRestoreName(name) || name.includes("\ufffd")
  }
}

/** Writes a time as nanoseconds, in two numbers of 32 bits: a bigint would take as long as all else about a row. */
function putTime(times: Uint32Array, row: number, seconds: number, nanoseconds: number): void {
  const low = Math.imul(seconds, NANOSECONDS) >>> 0
  // As a number the product is off by far less than the half of what the higher part counts.
  const high = Math.round((seconds * NANOSECONDS - low) / 2 ** 32)
  const sum = low + nanoseconds
  times[2 * row] = sum
  times[2 * row + 1] = high + (sum >= 2 ** 32 ? 1 : 0)
}

const NANOSECONDS = 1_000_000_000

function countSlashes(paths: Uint8Array): number {
  let count = 0
  for (let at = 0; at < paths.length; at++) if (paths[at] === SLASH) count++
  return count
}

/** By byte: 1 for those of which PLAIN_NAME is made. */
const PLAIN: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => (/[A-Za-z0-9_.-]/.test(latinText(Uint8Array.of(byte))) ? 1 : 0))

const SLASH = 0x2f
const DOT = 0x2e
/** A folder that is left to the scan. */
const LEFT = -1

/** Fields of an entry's file state, in numbers of 4 bytes. */
const [CTIME, MTIME, INODE, MODE, SIZE] = [0, 2, 5, 6, 9]
/** Assume-valid, any stage but 0, skip-worktree, intent-to-add. */
const DOUBTFUL = 0x8000 | 0x3000 | 0x4000_0000 | 0x2000_0000

const FILE = 0o100644
const EXECUTABLE_FILE = 0o100755
const LINK = 0o120000
