import { FOLDER_ROW, pairsOf, type StatColumns } from "../../core/stat-checker.js"
import { eachRow, FILE_TYPES } from "./each-row.js"
import { isSameTime, numberAt, statOf } from "./plain-stat.js"

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

/** Columns as pairs of numbers. */
interface PairColumns {
  readonly mtimes: Uint32Array
  readonly ctimes: Uint32Array
  readonly inodes: Uint32Array
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
