import { utf8 } from "../core/bytes.js"
import { STAT_BYTES, type IndexColumns } from "../core/index-columns.js"
import { OID_BYTES } from "../core/oid.js"
import { comparePaths, decodeName, isUnsafeName, PLAIN_NAME } from "../core/path.js"
import { FILE_ROW, FOLDER_ROW, LINK_ROW, pairsOf } from "../core/stat-checker.js"
import { pauses, type Pause } from "../core/turns.js"
import { isRestoreName } from "./restore-name.js"
import { EXECUTABLE, sharedBuffer, tableBytes, viewTable, type NamedTable } from "./stat-table.js"

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
  const start = prefix === "" ? "" : `${prefix}/`
  const heads = new Heads(index)
  const rows = new Rows()
  const pause = pauses()
  const { bytes, ends, text } = index.paths
  let last = ""
  let from = 0
  for (let i = 0; i < index.count; i++) {
    if (i % PAUSE_ENTRIES === 0) await pause()
    const to = ends[i] as number
    let path = text === undefined ? decodeName(bytes.subarray(from, to)) : text.slice(from, to)
    from = to
    if (!path.startsWith(start) || !heads.isVouchedFor(i, writtenSeconds)) continue
    if (start !== "") path = path.slice(start.length)
    // Bytes and texts are in one order where each byte is one unit.
    if (text === undefined ? comparePaths(last, path) >= 0 : last >= path) return undefined
    last = path
    rows.add(path, i)
  }
  return rows.finish(heads, pause)
}

const PAUSE_ENTRIES = 1024

/** What the entries of an index begin with. */
class Heads {
  readonly #view: DataView
  readonly #starts: Uint32Array
  readonly #flags: Uint32Array

  constructor({ bytes, starts, flags }: IndexColumns) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#starts = starts
    this.#flags = flags
  }

  isVouchedFor(entry: number, writtenSeconds: number): boolean {
    if (((this.#flags[entry] as number) & DOUBTFUL) !== 0) return false
    const mode = this.number(entry, MODE)
    if (mode !== FILE && mode !== EXECUTABLE_FILE && mode !== LINK) return false
    return this.number(entry, MTIME) < writtenSeconds && this.number(entry, CTIME) < writtenSeconds
  }

  /** A number of the file's state. */
  number(entry: number, field: number): number {
    return this.#view.getUint32((this.#starts[entry] as number) + field)
  }

  /** Four bytes of the oid. */
  oidPart(entry: number, at: number): number {
    return this.#view.getUint32((this.#starts[entry] as number) + STAT_BYTES + at)
  }
}

class Rows {
  /** By row: the entry, or none for a folder. */
  readonly #entries: number[] = [NO_ENTRY]
  readonly #names: string[] = [""]
  readonly #ends: number[] = [0]
  /** The folders that the last path is in, the root first. */
  readonly #open: OpenFolder[] = [ROOT_FOLDER]
  #innermost = ROOT_FOLDER

  add(path: string, entry: number): void {
    const nameAt = path.lastIndexOf("/") + 1
    // Most paths are in the folder of the last one.
    if (this.#innermost.path.length !== nameAt || !path.startsWith(this.#innermost.path))
      this.#innermost = this.#enter(path.slice(0, nameAt))
    const name = path.slice(nameAt)
    if (this.#innermost.row !== undefined && !isLeftToScan(name)) this.#put(name, entry)
  }

  async finish(heads: Heads, pause: Pause): Promise<NamedTable> {
    this.#closeUpTo(0)
    const count = this.#names.length
    const names = this.#names.join("")
    const encoded = utf8(names)
    const table = viewTable(sharedBuffer(tableBytes(count, encoded.length)), count, encoded.length)
    const { kinds, marks, sizes, ends, nameStarts } = table
    const mtimes = pairsOf(table.mtimes)
    const ctimes = pairsOf(table.ctimes)
    const inodes = pairsOf(table.inodes)
    const oids = new DataView(table.oids.buffer, table.oids.byteOffset)
    let nameAt = 0
    for (let row = 0; row < count; row++) {
      if (row % PAUSE_ENTRIES === 0) await pause()
      ends[row] = this.#ends[row] as number
      nameStarts[row] = nameAt
      nameAt += (this.#names[row] as string).length
      const entry = this.#entries[row] as number
      if (entry === NO_ENTRY) {
        kinds[row] = FOLDER_ROW
        continue
      }
      const mode = heads.number(entry, MODE)
      kinds[row] = mode === LINK ? LINK_ROW : FILE_ROW
      marks[row] = mode === EXECUTABLE_FILE ? EXECUTABLE : 0
      putTime(mtimes, row, heads.number(entry, MTIME), heads.number(entry, MTIME + 4))
      putTime(ctimes, row, heads.number(entry, CTIME), heads.number(entry, CTIME + 4))
      inodes[2 * row] = heads.number(entry, INODE)
      sizes[row] = heads.number(entry, SIZE)
      for (let at = 0; at < OID_BYTES; at += 4) oids.setUint32(row * OID_BYTES + at, heads.oidPart(entry, at))
    }
    nameStarts[count] = nameAt
    table.names.set(encoded)
    return { table, names }
  }

  /** Opens the folder with this path, which ends with a slash, and closes those that it is not in. */
  #enter(path: string): OpenFolder {
    const first = this.#open.findIndex((folder) => !path.startsWith(folder.path))
    if (first >= 0) this.#closeUpTo(first)
    let folder = this.#open.at(-1) ?? ROOT_FOLDER
    while (folder.path !== path) {
      const inner = path.slice(0, path.indexOf("/", folder.path.length) + 1)
      const name = inner.slice(folder.path.length, -1)
      const isLeft = folder.row === undefined || isLeftToScan(name)
      folder = { path: inner, row: isLeft ? undefined : this.#put(name, NO_ENTRY) }
      this.#open.push(folder)
    }
    return folder
  }

  #closeUpTo(first: number): void {
    for (const { row } of this.#open.splice(first)) if (row !== undefined) this.#ends[row] = this.#names.length
  }

  #put(name: string, entry: number): number {
    const row = this.#names.length
    this.#names.push(name)
    this.#entries.push(entry)
    this.#ends.push(row + 1)
    return row
  }
}

const NO_ENTRY = -1

interface OpenFolder {
  /** Ends with a slash. */
  readonly path: string
  /** Undefined when it is left to the scan. */
  readonly row: number | undefined
}

const ROOT_FOLDER: OpenFolder = { path: "", row: 0 }

/** Puts a time as nanoseconds, in two numbers of 32 bits: a bigint would take as long as all else about a row. */
function putTime(times: Uint32Array, row: number, seconds: number, nanoseconds: number): void {
  const whole = seconds * 1e9
  const low = Math.imul(seconds, 1e9) >>> 0
  // Far less than the half of what the higher part counts is lost in a number of this size.
  const high = Math.round((whole - low) / 2 ** 32)
  // A column takes the bits that fit.
  times[2 * row] = low + nanoseconds
  times[2 * row + 1] = low + nanoseconds < 2 ** 32 ? high : high + 1
}

/** Names that a capture reports or passes over, and those that may stand for other bytes when they are listed. */
function isLeftToScan(name: string): boolean {
  if (PLAIN_NAME.test(name)) return false
  return isUnsafeName(name) || isRestoreName(name) || name.includes("\ufffd")
}

/** Where the fields of a file's state stand. */
const [CTIME, MTIME, INODE, MODE, SIZE] = [0, 8, 20, 24, 36]
/** Assume-valid, any stage but 0, skip-worktree, intent-to-add. */
const DOUBTFUL = 0x8000 | 0x3000 | 0x4000_0000 | 0x2000_0000

const FILE = 0o100644
const EXECUTABLE_FILE = 0o100755
const LINK = 0o120000
