/*
 * What a manifest says of folders and permission bits, from the table of a capture.
 */
import { PLAIN_PERMISSIONS, type Permissions } from "../core/manifest.js"
import { OID_BYTES } from "../core/oid.js"
import { FILE_ROW, FOLDER_ROW } from "../core/stat-checker.js"
import { CLASSES, KEPT_PERMISSIONS, type PermissionClass } from "./permissions.js"
import { pauses } from "../core/turns.js"
import { rowPaths } from "./row-paths.js"
import { EMPTY, EXECUTABLE, type NamedTable, type StatTable } from "./stat-table.js"

/** What the rows of a table say beside the trees. */
export interface RowFacts {
  /** Folders with nothing in them, by path. */
  readonly emptyFolders: readonly string[]
  readonly permissions: Permissions
}

/** Reads the facts off a table, with pauses. The root itself is in none of them, and neither are folders that a restore would not make. */
export async function rowFacts(seen: NamedTable): Promise<RowFacts> {
  const { table } = seen
  const pause = pauses()
  const isKept = keptFolders(table)
  await pause()
  const counts: Readonly<Record<PermissionClass, Uint32Array>> = {
    file: new Uint32Array(KEPT_PERMISSIONS + 1),
    executable: new Uint32Array(KEPT_PERMISSIONS + 1),
    folder: new Uint32Array(KEPT_PERMISSIONS + 1),
  }
  for (let row = 1; row < table.count; row++) {
    const kind = classOf(table, row, isKept)
    if (kind !== undefined) (counts[kind][bitsOf(table, row)] as number)++
  }
  await pause()
  const common = { ...PLAIN_PERMISSIONS }
  for (const kind of CLASSES) common[kind] = mostCommon(counts[kind], PLAIN_PERMISSIONS[kind])
  const isException = (row: number): boolean => {
    const kind = classOf(table, row, isKept)
    return kind !== undefined && bitsOf(table, row) !== common[kind]
  }
  const exceptions: [string, number][] = []
  const emptyFolders: string[] = []
  for (const [row, path] of rowPaths(seen, (row) => isException(row) || isEmpty(table, row))) {
    if (isException(row)) exceptions.push([path, bitsOf(table, row)])
    if (isEmpty(table, row)) emptyFolders.push(path)
  }
  await pause()
  return {
    emptyFolders: emptyFolders.sort(),
    permissions: { ...common, exceptions: Object.fromEntries(exceptions.sort(([a], [b]) => (a < b ? -1 : 1))) },
  }
}

function bitsOf(table: StatTable, row: number): number {
  return (table.permissions[row] as number) & KEPT_PERMISSIONS
}

/** The bits that most have. Ties go to the plain bits, so that a single odd file is the exception. */
function mostCommon(counts: Uint32Array, plain: number): number {
  let common = plain
  for (const [bits, count] of counts.entries()) if (count > (counts[common] as number)) common = bits
  return common
}

function classOf(table: StatTable, row: number, isKept: Uint8Array): PermissionClass | undefined {
  const kind = table.kinds[row]
  if (kind === FOLDER_ROW) return isKept[row] === 1 ? "folder" : undefined
  if (kind !== FILE_ROW) return undefined
  return ((table.marks[row] as number) & EXECUTABLE) === 0 ? "file" : "executable"
}

/** The folders that have a tree, or an empty folder in them or are one. */
function keptFolders(table: StatTable): Uint8Array {
  const isKept = new Uint8Array(table.count)
  const open: number[] = []
  for (let row = 0; row < table.count; row++) {
    while (open.length > 0 && table.ends[open.at(-1) as number] === row) open.pop()
    if (table.kinds[row] !== FOLDER_ROW) continue
    open.push(row)
    if (hasTree(table, row)) isKept[row] = 1
    if (isEmpty(table, row)) for (const folder of open) isKept[folder] = 1
  }
  return isKept
}

function hasTree({ oids }: StatTable, row: number): boolean {
  for (let at = row * OID_BYTES; at < (row + 1) * OID_BYTES; at++) if (oids[at] !== 0) return true
  return false
}

function isEmpty(table: StatTable, row: number): boolean {
  return row > 0 && ((table.marks[row] as number) & EMPTY) !== 0
}
