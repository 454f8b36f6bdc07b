import { FOLDER_ROW, type StatColumns } from "../../core/stat-checker.js"

/** Calls `visit` with each row from `start` up to `end`, and its address. `names` is the text of all names. */
export function eachRow(
  root: string,
  { ends, nameStarts, kinds }: StatColumns,
  names: string,
  start: number,
  end: number,
  visit: (row: number, address: string) => void,
): void {
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
    if (row >= start) visit(row, address)
  }
}

/** The file type of each kind of row, as st_mode has it. */
export const FILE_TYPES: readonly number[] = [0o040000, 0o100000, 0o120000, 0o100000]
