import fs from "node:fs"
import { FOLDER_ROW, type StatColumns } from "../../core/stat-checker.js"

/** Compares the rows from `start` up to `end` with the file system; gives those that differ. `names` is the text of all names. */
export function changedRows(root: string, columns: StatColumns, names: string, start: number, end: number): number[] {
  const { mtimes, ctimes, inodes, sizes, permissions, ends, nameStarts, kinds } = columns
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
    const kind = kinds[row] as number
    if (kind === FOLDER_ROW) {
      folderEnds.push(rowEnd)
      folders.push(`${address}/`)
    }
    if (row < start) continue
    const stat = statOf(address)
    if (
      stat === undefined ||
      stat.mtimeNs !== mtimes[row] ||
      stat.ctimeNs !== ctimes[row] ||
      stat.ino !== inodes[row] ||
      Number(stat.mode) !== ((KINDS[kind] as number) | (permissions[row] as number)) ||
      (kind !== FOLDER_ROW && Number(stat.size) !== sizes[row])
    )
      changed.push(row)
  }
  return changed
}

/** What cannot be looked at has changed. */
function statOf(address: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(address, OPTIONS)
  } catch {
    return undefined
  }
}

const OPTIONS = { bigint: true, throwIfNoEntry: false } as const

/** The file type of each kind of row, as st_mode has it. */
const KINDS: readonly number[] = [0o040000, 0o100000, 0o120000, 0o100000]
