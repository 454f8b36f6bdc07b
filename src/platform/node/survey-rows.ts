import fs from "node:fs"
import {
  ALL_TOLD,
  AS_TOLD,
  ELSEWHERE,
  FOLDER_ROW,
  HAS_ATTRIBUTES,
  pairsOf,
  type ToldColumns,
} from "../../core/stat-checker.js"
import { eachRow, FILE_TYPES } from "./each-row.js"
import { isSameTime, numberAt, statOf } from "./plain-stat.js"

/** Looks at the rows from `start` up to `end`, as StatChecker.survey says. `names` is the text of all names. */
export function surveyRows(root: string, columns: ToldColumns, names: string, start: number, end: number): void {
  const device = statOf(root)?.dev
  const { sizes, kinds, permissions, found } = columns
  const mtimes = pairsOf(columns.mtimes)
  const ctimes = pairsOf(columns.ctimes)
  const inodes = pairsOf(columns.inodes)
  eachRow(root, columns, names, start, end, (row, address) => {
    // A name that comes while the folder is listed must not make it look as it was.
    const stat = statOf(address)
    const kind = kinds[row] as number
    if (stat === undefined || (stat.mode & FILE_TYPE) !== FILE_TYPES[kind]) return
    if (kind === FOLDER_ROW) {
      columns.mtimes[row] = nanoseconds(stat.mtimeMs)
      columns.ctimes[row] = nanoseconds(stat.ctimeMs)
      inodes[2 * row] = stat.ino
    } else if (
      stat.size >>> 0 !== sizes[row] ||
      stat.ino >>> 0 !== inodes[2 * row] ||
      !isSameTime(stat.mtimeMs, numberAt(mtimes, row)) ||
      !isSameTime(stat.ctimeMs, numberAt(ctimes, row))
    )
      return
    inodes[2 * row + 1] = Math.floor(stat.ino / 2 ** 32)
    sizes[row] = stat.size
    permissions[row] = stat.mode & 0o7777
    found[row] =
      AS_TOLD | (stat.dev === device ? 0 : ELSEWHERE) | (kind === FOLDER_ROW ? look(columns, names, row, address) : 0)
  })
}

/** The time of a folder, as near as it is told: whole milliseconds are exact. */
function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}

/** What the names in a folder tell. */
function look({ ends, nameStarts }: ToldColumns, names: string, folder: number, address: string): number {
  const told = new Set<string>()
  let count = 0
  for (let row = folder + 1; row < (ends[folder] as number); row = ends[row] as number, count++)
    told.add(names.slice(nameStarts[row], nameStarts[row + 1]))
  let isAllTold = told.size === count
  let marks = 0
  let listed = 0
  for (const name of namesIn(address)) {
    listed++
    if (!told.has(name)) isAllTold = false
    if (name.length === ATTRIBUTES.length && name.toLowerCase() === ATTRIBUTES) marks |= HAS_ATTRIBUTES
  }
  return isAllTold && listed === count ? marks | ALL_TOLD : marks
}

/** None for a folder that cannot be listed, which is never all that was told. */
function namesIn(address: string): readonly string[] {
  try {
    return fs.readdirSync(address)
  } catch {
    return []
  }
}

const FILE_TYPE = 0o170000
const ATTRIBUTES = ".gitattributes"
