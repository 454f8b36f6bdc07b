import fs from "node:fs"
import { FOLDER_ROW, type StatColumns } from "../../core/stat-checker.js"

/** Compares the rows from `start` up to `end` with the file system; gives those that differ. `names` is the text of all names. */
export function changedRows(root: string, columns: StatColumns, names: string, start: number, end: number): number[] {
  const { ends, nameStarts, kinds } = columns
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
    if (row >= start && isChanged(columns, row, address)) changed.push(row)
  }
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
function isSameTime(ms: number, ns: bigint): boolean {
  return Math.abs(ms * 1e6 - Number(ns)) < 1000
}

/** The file type of each kind of row, as st_mode has it. */
const KINDS: readonly number[] = [0o040000, 0o100000, 0o120000, 0o100000]
