import { joinPath, ROOT, type RepoPath } from "../core/path.js"
import { isFresh, MAPPED_MS } from "../core/stable-read.js"
import { ALL_TOLD, AS_TOLD, ELSEWHERE, FILE_ROW, FOLDER_ROW, HAS_ATTRIBUTES } from "../core/stat-checker.js"
import { pauses } from "../core/turns.js"
import type { Conversions } from "./conversions.js"
import { EXECUTABLE, nameIn, SURE, type NamedTable } from "./stat-table.js"

/** A table of an index that was surveyed. */
export interface SurveyedTable {
  readonly seen: NamedTable
  /** What the survey found. */
  readonly found: Uint8Array
  /** When it began. */
  readonly beganMs: number
  /** The executable bit means something here. */
  readonly executableBit: boolean
}

/** The folders with a file of attributes in them. */
export function attributesFolders({ seen, found }: SurveyedTable): RepoPath[] {
  const folders: RepoPath[] = []
  const place = new Place(seen)
  for (let row = 0; row < seen.table.count; row++) {
    place.enter(row)
    if (((found[row] as number) & HAS_ATTRIBUTES) !== 0) folders.push(place.path(row))
  }
  return folders
}

/**
 * 1 for each row that does not count. `held` has 1 for each whose object the store has, of the size in `sizes`. Marks in
 * the table which rows a later capture may count on, and which files are executable.
 */
export async function changedRows(
  surveyed: SurveyedTable,
  held: Uint8Array,
  sizes: Float64Array,
  conversions: Conversions | undefined,
): Promise<Uint8Array> {
  const { seen, found, executableBit } = surveyed
  const { table } = seen
  const isOld = settledRows(surveyed)
  const isChanged = new Uint8Array(table.count)
  const pause = pauses()
  const place = new Place(seen)
  for (let row = 0; row < table.count; row++) {
    if (row % PAUSE_ROWS === 0) await pause()
    place.enter(row)
    const marks = found[row] as number
    const isFolder = table.kinds[row] === FOLDER_ROW
    const isThere = held[row] === 1 && (marks & AS_TOLD) !== 0
    const isSame = isFolder
      ? (marks & ALL_TOLD) !== 0
      : table.sizes[row] === sizes[row] && conversions?.mayApply(place.path(row), table.ctimes[row] as bigint) !== true
    if (!isThere || !isSame) isChanged[row] = 1
    if (isOld(row) && (marks & ELSEWHERE) === 0) table.marks[row] = (table.marks[row] as number) | SURE
    if (table.kinds[row] !== FILE_ROW) continue
    const isExecutable = executableBit && ((table.permissions[row] as number) & 0o100) !== 0
    if (isExecutable === (((table.marks[row] as number) & EXECUTABLE) !== 0)) continue
    table.marks[row] = (table.marks[row] as number) ^ EXECUTABLE
    // The trees of the index have it otherwise.
    for (const folder of place.above) isChanged[folder] = 1
  }
  return isChanged
}

const PAUSE_ROWS = 256

/** Whether the times of a row are so old that any change will show. */
function settledRows({ seen, beganMs }: SurveyedTable): (row: number) => boolean {
  const { mtimes, ctimes, kinds } = seen.table
  const nsBefore = (ms: number): bigint => BigInt(Math.floor(beganMs - ms)) * 1_000_000n
  const [mapped, grainless] = [nsBefore(MAPPED_MS), nsBefore(MAPPED_MS / 10)]
  return (row) => {
    const [mtimeNs, ctimeNs] = [mtimes[row] as bigint, ctimes[row] as bigint]
    if (kinds[row] === FILE_ROW && mtimeNs >= mapped) return false
    return (mtimeNs < grainless && ctimeNs < grainless) || !isFresh({ mtimeNs, ctimeNs }, beganMs)
  }
}

/** Where a walk over a table is. */
class Place {
  readonly #seen: NamedTable
  /** The folders that the row is in, the innermost last. */
  readonly above: number[] = []
  readonly #paths: RepoPath[] = []

  constructor(seen: NamedTable) {
    this.#seen = seen
  }

  /** Goes to the next row. */
  enter(row: number): void {
    const { table } = this.#seen
    while (this.above.length > 0 && (table.ends[this.above.at(-1) as number] as number) <= row) {
      this.above.pop()
      this.#paths.pop()
    }
    if (table.kinds[row] !== FOLDER_ROW) return
    this.#paths.push(this.path(row))
    this.above.push(row)
  }

  /** The path of a row that was just entered. */
  path(row: number): RepoPath {
    const isEntered = this.above.at(-1) === row
    const folder = this.#paths.at(-1)
    if (isEntered && folder !== undefined) return folder
    return folder === undefined ? ROOT : joinPath(folder, nameIn(this.#seen, row))
  }
}
