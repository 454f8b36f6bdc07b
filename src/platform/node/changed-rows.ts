import fs from "node:fs"
import { FOLDER_ROW, pairsOf, type StatColumns } from "../../core/stat-checker.js"
import { eachRow, FILE_TYPES } from "./each-row.js"

/** Compares the rows from `start` up to `end` with the file system; gives those that differ. `names` is the text of all names. */
export function changedRows(root: string, columns: StatColumns, names: string, start: number, end: number): number[] {
  const { mtimes, ctimes, inodes } = columns
  const pairs = { mtimes: pairsOf(mtimes), ctimes: pairsOf(ctimes), inodes: pairsOf(inodes) }
  const changed: number[] = []
  eachRow(root, columns, names, start, end, (row, address) => {
    if (isChanged(columns, pairs, row, address)) changed.push(row)
  })
  return changed
}

/** Columns as pairs of numbers: to read a bigint takes as long as all else about a row. */
interface PairColumns {
  readonly mtimes: Uint32Array
  readonly ctimes: Uint32Array
  readonly inodes: Uint32Array
}

/** The signed number in a row of such a column, as exact as a number can be. */
function numberAt(column: Uint32Array, row: number): number {
  return ((column[2 * row + 1] as number) | 0) * 2 ** 32 + (column[2 * row] as number)
}

function isChanged(columns: StatColumns, pairs: PairColumns, row: number, address: string): boolean {
  const { sizes, permissions, kinds } = columns
  const kind = kinds[row] as number
  const stat = statOf(address)
  return (
    stat === undefined ||
    !isSameTime(stat.mtimeMs, numberAt(pairs.mtimes, row)) ||
    !isSameTime(stat.ctimeMs, numberAt(pairs.ctimes, row)) ||
    stat.ino !== numberAt(pairs.inodes, row) ||
    stat.mode !== ((FILE_TYPES[kind] as number) | (permissions[row] as number)) ||
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
