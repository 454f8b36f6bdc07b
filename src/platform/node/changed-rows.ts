import fs from "node:fs"
import { FOLDER_ROW, type StatColumns } from "../../core/stat-checker.js"

/** Compares the rows from `start` up to `end` with the file system; gives those that differ. `names` is the text of all names. */
export function changedRows(root: string, columns: StatColumns, names: string, start: number, end: number): number[] {
  const { ends, nameStarts, kinds } = columns
  const numbers = { mtimes: pairs(columns.mtimes), ctimes: pairs(columns.ctimes), inodes: pairs(columns.inodes) }
  const changed: number[] = []
  /** The folders that the row is in: where each ends, and its address with a slash. */
  const folderEnds: number[] = []
  const folders: string[] = []
  for (let row = 0; row < end; row++) {
    while (folderEnds.length > 0 && row === folderEnds.at(-1)) {
      folderEnds.pop()
      folders.pop()
    }
    const rowEnd = ends[row] as number
    if (rowEnd <= start) {
      row = rowEnd - 1
      continue
    }
    const parent = folders.at(-1)
    const address = parent === undefined ? root : parent + names.slice(nameStarts[row], nameStarts[row + 1])
    if (kinds[row] === FOLDER_ROW) {
      folderEnds.push(rowEnd)
      folders.push(`${address}/`)
    }
    if (row >= start && isChanged(columns, numbers, row, address)) changed.push(row)
  }
  return changed
}

/** Columns of 64-bit numbers as pairs of 32 bits, the lowest first: reading a bigint takes as long as all else about a row. */
interface PairColumns {
  readonly mtimes: Uint32Array
  readonly ctimes: Uint32Array
  readonly inodes: Uint32Array
}

function pairs({ buffer, byteOffset, length }: BigInt64Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, 2 * length)
}

/** The signed number in a row of such a column, as exact as a number can be. */
function numberAt(column: Uint32Array, row: number): number {
  return ((column[2 * row + 1] as number) | 0) * 2 ** 32 + (column[2 * row] as number)
}

function isChanged(columns: StatColumns, numbers: PairColumns, row: number, address: string): boolean {
  const { sizes, permissions, kinds } = columns
  const kind = kinds[row] as number
  const stat = statOf(address)
  return (
    stat === undefined ||
    !isSameTime(stat.mtimeMs, numberAt(numbers.mtimes, row)) ||
    !isSameTime(stat.ctimeMs, numberAt(numbers.ctimes, row)) ||
    stat.ino !== numberAt(numbers.inodes, row) ||
    stat.mode !== ((KINDS[kind] as number) | (permissions[row] as number)) ||
    (kind !== FOLDER_ROW && stat.size !== sizes[row])
  )
}

/** What cannot be looked at has changed. */
function statOf(address: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(address, OPTIONS)
  } catch {
    return undefined
  }
}

/** Stats with whole nanoseconds would take half as long again. */
const OPTIONS = { throwIfNoEntry: false } as const

/**
 * A number of milliseconds is off by less than a microsecond. That is as good as exact: a row counts only when its times
 * lay 20 ms or more before it was read, and whatever changes a file sets its ctime to the time of the change.
 */
function isSameTime(ms: number, ns: number): boolean {
  return Math.abs(ms * 1e6 - ns) < 1000
}

/** The file type of each kind of row, as st_mode has it. */
const KINDS: readonly number[] = [0o040000, 0o100000, 0o120000, 0o100000]
