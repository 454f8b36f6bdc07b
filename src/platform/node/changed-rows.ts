import fs from "node:fs"
import { FOLDER_ROW, type StatColumns } from "../../core/stat-checker.js"
import { eachRow, FILE_TYPES } from "./each-row.js"

/** Compares the rows from `start` up to `end` with the file system; gives those that differ. `names` is the text of all names. */
export function changedRows(root: string, columns: StatColumns, names: string, start: number, end: number): number[] {
  const changed: number[] = []
  eachRow(root, columns, names, start, end, (row, address) => {
    if (isChanged(columns, row, address)) changed.push(row)
  })
  return changed
}

function isChanged(columns: StatColumns, row: number, address: string): boolean {
  const { mtimes, ctimes, inodes, sizes, permissions, kinds } = columns
  const kind = kinds[row] as number
  const stat = statOf(address)
  return (
    stat === undefined ||
    !isSameTime(stat.mtimeMs, mtimes[row] as bigint) ||
    !isSameTime(stat.ctimeMs, ctimes[row] as bigint) ||
    stat.ino !== Number(inodes[row]) ||
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
function isSameTime(ms: number, ns: bigint): boolean {
  return Math.abs(ms * 1e6 - Number(ns)) < 1000
}
