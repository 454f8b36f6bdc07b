import fs from "node:fs"
import { FOLDER_ROW, type StatColumns } from "../../core/stat-checker.js"
import { eachRow, FILE_TYPES } from "./each-row.js"

/** Compares the rows from `start` up to `end` with the file system; gives those that differ. `names` is the text of all names. */
export function changedRows(root: string, columns: StatColumns, names: string, start: number, end: number): number[] {
  const { mtimes, ctimes, inodes, sizes, permissions, kinds } = columns
  const changed: number[] = []
  eachRow(root, columns, names, start, end, (row, address) => {
    const kind = kinds[row] as number
    const stat = statOf(address)
    if (
      stat === undefined ||
      stat.mtimeNs !== mtimes[row] ||
      stat.ctimeNs !== ctimes[row] ||
      stat.ino !== inodes[row] ||
      Number(stat.mode) !== ((FILE_TYPES[kind] as number) | (permissions[row] as number)) ||
      (kind !== FOLDER_ROW && Number(stat.size) !== sizes[row])
    )
      changed.push(row)
  })
  return changed
}

/** Undefined for what cannot be looked at. */
export function statOf(address: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(address, OPTIONS)
  } catch {
    return undefined
  }
}

const OPTIONS = { bigint: true, throwIfNoEntry: false } as const
