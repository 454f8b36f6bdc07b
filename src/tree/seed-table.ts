import { utf8 } from "../core/bytes.js"
import type { IndexEntry } from "../core/index-entry.js"
import { OID_BYTES } from "../core/oid.js"
import { comparePaths, isUnsafeName, PLAIN_NAME } from "../core/path.js"
import { FILE_ROW, FOLDER_ROW, LINK_ROW, pairsOf } from "../core/stat-checker.js"
import { pauses, type Pause } from "../core/turns.js"
import { isRestoreName } from "./restore-name.js"
import { EXECUTABLE, sharedBuffer, tableBytes, viewTable, type NamedTable } from "./stat-table.js"

/**
 * A table of what an index tells of the files and links below `prefix`: of those that it vouches for, in the order of
 * their paths, with times, inodes and sizes as StatChecker.survey takes them. What is written in the same second as the
 * index may have been written once more since it was hashed, and is left out with all that Git itself would look at.
 * Undefined when the entries are in no order.
 */
export async function seedTable(
  entries: readonly IndexEntry[],
  prefix: string,
  writtenSeconds: number,
): Promise<NamedTable | undefined> {
  const start = prefix === "" ? "" : `${prefix}/`
  const rows = new Rows()
  const pause = pauses()
  let last: string | undefined
  for (const [i, entry] of entries.entries()) {
    if (i % PAUSE_ENTRIES === 0) await pause()
    if (!entry.path.startsWith(start) || !isVouchedFor(entry, writtenSeconds)) continue
    const path = entry.path.slice(start.length)
    if (last !== undefined && !isBefore(last, path)) return undefined
    last = path
    rows.add(path, entry)
  }
  return rows.finish(pause)
}

const PAUSE_ENTRIES = 1024

/** In the order of their bytes, from which that of the texts differs only from the surrogates on. */
function isBefore(path: string, next: string): boolean {
  return FROM_SURROGATES.test(next) ? comparePaths(path, next) < 0 : path < next
}

const FROM_SURROGATES = /[\ud800-\uffff]/

function isVouchedFor(entry: IndexEntry, writtenSeconds: number): boolean {
  if (entry.stage !== 0 || entry.assumeValid || entry.skipWorktree || entry.intentToAdd) return false
  if (entry.mode !== LINK && entry.mode !== FILE && entry.mode !== EXECUTABLE_FILE) return false
  return entry.mtimeSeconds < writtenSeconds && entry.ctimeSeconds < writtenSeconds
}

class Rows {
  readonly #entries: (IndexEntry | undefined)[] = [undefined]
  readonly #names: string[] = [""]
  readonly #ends: number[] = [0]
  /** The folders that the last path is in, the root first. */
  readonly #open: OpenFolder[] = [ROOT_FOLDER]

  add(path: string, entry: IndexEntry): void {
    const nameAt = path.lastIndexOf("/") + 1
    let folder = this.#open.at(-1) ?? ROOT_FOLDER
    // Most paths are in the folder of the last one.
    if (folder.path.length !== nameAt || !path.startsWith(folder.path)) folder = this.#enter(path.slice(0, nameAt))
    const name = path.slice(nameAt)
    if (folder.row !== undefined && !isLeftToScan(name)) this.#put(name, entry)
  }

  async finish(pause: Pause): Promise<NamedTable> {
    this.#closeUpTo(0)
    const count = this.#names.length
    const names = this.#names.join("")
    const encoded = utf8(names)
    const table = viewTable(sharedBuffer(tableBytes(count, encoded.length)), count, encoded.length)
    const [mtimes, ctimes, inodes] = [pairsOf(table.mtimes), pairsOf(table.ctimes), pairsOf(table.inodes)]
    let nameAt = 0
    for (let row = 0; row < count; row++) {
      if (row % PAUSE_ENTRIES === 0) await pause()
      table.ends[row] = this.#ends[row] as number
      table.nameStarts[row] = nameAt
      nameAt += (this.#names[row] as string).length
      const entry = this.#entries[row]
      if (entry === undefined) {
        table.kinds[row] = FOLDER_ROW
        continue
      }
      const { mode } = entry
      table.kinds[row] = mode === LINK ? LINK_ROW : FILE_ROW
      table.marks[row] = mode === EXECUTABLE_FILE ? EXECUTABLE : 0
      mtimes[2 * row] = entry.mtimeNanoseconds
      mtimes[2 * row + 1] = entry.mtimeSeconds
      ctimes[2 * row] = entry.ctimeNanoseconds
      ctimes[2 * row + 1] = entry.ctimeSeconds
      inodes[2 * row] = entry.inode
      table.sizes[row] = entry.sizeBytes
      entry.putOid(table.oids, row * OID_BYTES)
    }
    table.nameStarts[count] = nameAt
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
      folder = { path: inner, row: isLeft ? undefined : this.#put(name, undefined) }
      this.#open.push(folder)
    }
    return folder
  }

  #closeUpTo(first: number): void {
    for (const { row } of this.#open.splice(first)) if (row !== undefined) this.#ends[row] = this.#names.length
  }

  #put(name: string, entry: IndexEntry | undefined): number {
    const row = this.#names.length
    this.#names.push(name)
    this.#entries.push(entry)
    this.#ends.push(row + 1)
    return row
  }
}

interface OpenFolder {
  /** Ends with a slash. */
  readonly path: string
  /** Undefined when it is left to the scan. */
  readonly row: number | undefined
}

const ROOT_FOLDER: OpenFolder = { path: "", row: 0 }

/** Names that a capture reports or passes over, and those that may stand for other bytes when they are listed. */
function isLeftToScan(name: string): boolean {
  if (PLAIN_NAME.test(name)) return false
  return isUnsafeName(name) || isRestoreName(name) || name.includes("\ufffd")
}

const FILE = 0o100644
const EXECUTABLE_FILE = 0o100755
const LINK = 0o120000
