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
  /** The folders that the row is in, the innermost aside: where each ends, and its address with a slash. */
  const outerEnds: number[] = []
  const outer: (string | undefined)[] = []
  let innermostEnd = Number.POSITIVE_INFINITY
  let innermost: string | undefined
  for (let row = 0; row < end; row++) {
    while (row === innermostEnd) {
      innermostEnd = outerEnds.pop() as number
      innermost = outer.pop()
    }
    const rowEnd = ends[row] as number
    if (rowEnd <= start) {
      row = rowEnd - 1
      continue
    }
    const address = innermost === undefined ? root : innermost + names.slice(nameStarts[row], nameStarts[row + 1])
    if (kinds[row] === FOLDER_ROW) {
      outerEnds.push(innermostEnd)
      outer.push(innermost)
      innermostEnd = rowEnd
      innermost = `${address}/`
    }
    if (row >= start) visit(row, address)
  }
}

/** The file type of each kind of row, as st_mode has it. */
export const FILE_TYPES: readonly number[] = [0o040000, 0o100000, 0o120000, 0o100000]
