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

/** Looks at the rows from `start` up to `end`, as StatChecker.survey says. `names` is the text of all names. */
export function surveyRows(root: string, columns: ToldColumns, names: string, start: number, end: number): void {
  const device = statOf(root)?.dev
  const { sizes, kinds } = columns
  const [mtimes, ctimes, inodes] = [columns.mtimes, columns.ctimes, columns.inodes].map(pairsOf) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  eachRow(root, columns, names, start, end, (row, address) => {
    // A name that comes while the folder is listed must not make it look as it was.
    const stat = statOf(address)
    const kind = kinds[row] as number
    if (stat === undefined || (Number(stat.mode) & FILE_TYPE) !== FILE_TYPES[kind]) return
    const isAsTold =
      kind === FOLDER_ROW ||
      (low32(stat.size) === sizes[row] &&
        low32(stat.ino) === inodes[2 * row] &&
        stat.mtimeNs === timeAt(mtimes, row) &&
        stat.ctimeNs === timeAt(ctimes, row))
    if (!isAsTold) return
    columns.mtimes[row] = stat.mtimeNs
    columns.ctimes[row] = stat.ctimeNs
    columns.inodes[row] = stat.ino
    sizes[row] = Number(stat.size)
    columns.permissions[row] = Number(stat.mode) & 0o7777
    columns.found[row] =
      AS_TOLD | (stat.dev === device ? 0 : ELSEWHERE) | (kind === FOLDER_ROW ? look(columns, names, row, address) : 0)
  })
}

/** Undefined for what cannot be looked at. */
function statOf(address: string): fs.BigIntStats | undefined {
  try {
    return fs.lstatSync(address, OPTIONS)
  } catch {
    return undefined
  }
}

const OPTIONS = { bigint: true, throwIfNoEntry: false } as const

function low32(number: bigint): number {
  return Number(BigInt.asUintN(32, number))
}

/** The time that a row was told, in nanoseconds. */
function timeAt(times: Uint32Array, row: number): bigint {
  return BigInt(times[2 * row + 1] as number) * 1_000_000_000n + BigInt(times[2 * row] as number)
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
