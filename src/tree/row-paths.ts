import { FOLDER_ROW } from "../core/stat-checker.js"
import { nameIn, type NamedTable } from "./stat-table.js"

/** A row of a table, and its path. */
export type RowPath = readonly [row: number, path: string]

/** The paths of the rows of a table that pass `test`, which are few. The root is not among them. */
export function* rowPaths(seen: NamedTable, test: (row: number) => boolean): Generator<RowPath> {
  const { table } = seen
  /** The folders that the row is in, the root left out. */
  const open: number[] = []
  for (let row = 1; row < table.count; row++) {
    while (open.length > 0 && table.ends[open.at(-1) as number] === row) open.pop()
    if (test(row)) yield [row, [...open, row].map((at) => nameIn(seen, at)).join("/")]
    if (table.kinds[row] === FOLDER_ROW) open.push(row)
  }
}
