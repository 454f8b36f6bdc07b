import { joinPath, ROOT, type RepoPath } from "../core/path.js"
import { isFresh, MAPPED_MS } from "../core/stable-read.js"
import { ALL_TOLD, AS_TOLD, ELSEWHERE, FILE_ROW, FOLDER_ROW, HAS_ATTRIBUTES, pairsOf } from "../core/stat-checker.js"
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
  // Mostly there are none, and no path has to be put together.
  if (!found.some((marks) => (marks & HAS_ATTRIBUTES) !== 0)) return folders
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
  const { count, kinds, marks, permissions } = table
  const isOld = settledRows(surveyed)
  const isChanged = new Uint8Array(count)
  const pause = pauses()
  const place = new Place(seen)
  for (let row = 0; row < count; row++) {
    if (row % PAUSE_ROWS === 0) await pause()
    const kind = kinds[row] as number
    if (conversions !== undefined || kind === FOLDER_ROW) place.enter(row)
    const seenMarks = found[row] as number
    const isThere = held[row] === 1 && (seenMarks & AS_TOLD) !== 0
    const isSame =
      kind === FOLDER_ROW
        ? (seenMarks & ALL_TOLD) !== 0
        : table.sizes[row] === sizes[row] &&
          conversions?.mayApply(place.path(row), table.ctimes[row] as bigint) !== true
    if (!isThere || !isSame) isChanged[row] = 1
    if ((seenMarks & ELSEWHERE) === 0 && isOld(row)) marks[row] = (marks[row] as number) | SURE
    if (kind !== FILE_ROW) continue
    const isExecutable = executableBit && ((permissions[row] as number) & 0o100) !== 0
    if (isExecutable === (((marks[row] as number) & EXECUTABLE) !== 0)) continue
    marks[row] = (marks[row] as number) ^ EXECUTABLE
    // The trees of the index have it otherwise.
    place.enter(row)
    for (const folder of place.above) isChanged[folder] = 1
  }
  return isChanged
}

const PAUSE_ROWS = 256

/** Whether the times of a row are so old that any change will show. */
function settledRows({ seen, beganMs }: SurveyedTable): (row: number) => boolean {
  const { mtimes, ctimes, kinds } = seen.table
  const nsBefore = (ms: number): number => Math.floor(beganMs - ms) * 1e6
  const mapped = nsBefore(MAPPED_MS)
  const grainless = nsBefore(MAPPED_MS / 10)
  const mtimePairs = pairsOf(mtimes)
  const ctimePairs = pairsOf(ctimes)
  return (row) => {
    // To read a bigint takes as long as all else about a row.
    const mtime = (mtimePairs[2 * row + 1] as number) * 2 ** 32 + (mtimePairs[2 * row] as number)
    const ctime = (ctimePairs[2 * row + 1] as number) * 2 ** 32 + (ctimePairs[2 * row] as number)
    if (kinds[row] === FILE_ROW && mtime >= mapped) return false
    if (mtime < grainless && ctime < grainless) return true
    return !isFresh({ mtimeNs: mtimes[row] as bigint, ctimeNs: ctimes[row] as bigint }, beganMs)
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

  /** Goes to a row behind the last one; all folders between have to be entered. */
  enter(row: number): void {
    const { ends, kinds } = this.#seen.table
    const { above } = this
    while (above.length > 0 && (ends[above[above.length - 1] as number] as number) <= row) {
      above.pop()
      this.#paths.pop()
    }
    if (kinds[row] !== FOLDER_ROW) return
    this.#paths.push(this.path(row))
    above.push(row)
  }

  /** The path of a row that was just entered. */
  path(row: number): RepoPath {
    const isEntered = this.above.at(-1) === row
    const folder = this.#paths.at(-1)
    if (isEntered && folder !== undefined) return folder
    return folder === undefined ? ROOT : joinPath(folder, nameIn(this.#seen, row))
  }
}
