/*
 * What the last capture found, and which of it may still be counted on: nothing below a path that the file system shows
 * as it was then has to be looked at again.
 */
import type { Oid } from "../core/oid.js"
import type { Manifest } from "../core/manifest.js"
import { settleAll } from "../core/settle-all.js"
import { FILE_ROW, FOLDER_ROW, LEFT_OUT_ROW, LINK_ROW, type StatChecker } from "../core/stat-checker.js"
import { NOTHING_CONFIRMED, type ConfirmedRows } from "./confirm-rows.js"
import { EXECUTABLE, HAS_LEFT_OUT, nameIn, oidOf, SURE, type NamedTable, type StatTable } from "./stat-table.js"

/** What a capture found. */
export interface KnownTree {
  readonly tree: Oid
  readonly manifest: Manifest
  /** Of the rules that applied: with others, other files may count. */
  readonly rulesDigest: string
  readonly rulesStamp: string | undefined
  readonly seen: NamedTable
  /** How many files and links are in it. */
  readonly files: number
}

/** A folder as it was known, seen from now. */
export interface KnownFolder {
  /** The table, and where the folder's rows are in it. */
  readonly source: NamedTable
  readonly row: number
  /** Nothing in or below it changed, and all of it was taken. */
  readonly isSame: boolean
  /** Its tree; undefined when it has none, as there is no file in it. */
  readonly tree: Oid | undefined
  /** How many files and links are in it and below. */
  readonly files: number
  /** What is directly in it, when that is what was known and all of it was taken; undefined otherwise. */
  readonly sameItems: readonly KnownItem[] | undefined
  folder(name: string): KnownFolder | undefined
  /** The file or link of this name, if it is as it was. */
  file(name: string, kind: "file" | "link"): KnownFile | undefined
  /** Whether the file of this name is as it was, captured or not, or is as absent as it was. `oid` is what it holds now, where that is known. */
  isSameFile(name: string, isThere: boolean, oid: Oid | undefined): boolean
}

/** A name that is in a folder as it was known. What it names may have changed. */
export interface KnownItem {
  readonly name: string
  /** "left-out": a file that was not captured, such as an ignore file that ignores itself. */
  readonly kind: "folder" | "file" | "link" | "left-out"
  readonly isSame: boolean
  /** Of a folder. */
  readonly folder: KnownFolder | undefined
}

/** A file or link as it was known. */
export interface KnownFile {
  readonly source: NamedTable
  readonly row: number
  readonly mode: "100644" | "100755" | "120000"
  readonly oid: Oid
  readonly sizeBytes: number
}

/** What still holds of a known tree. */
export interface KnownView {
  /** Nothing changed at all. */
  readonly isSame: boolean
  readonly root: KnownFolder
  /** What was read to find out. */
  readonly filesRead: number
  readonly bytesRead: number
}

/**
 * Compares a known tree with the file system; `root` is the path of its first row. `confirm` reads what its times do not
 * vouch for.
 */
export async function viewKnown(
  known: KnownTree,
  checker: StatChecker,
  root: string,
  confirm?: (seen: NamedTable) => Promise<ConfirmedRows>,
): Promise<KnownView> {
  const { table } = known.seen
  const isChanged = new Uint8Array(table.count)
  const [keepsTimes, confirmed, changed] = await settleAll([
    checker.keepsFolderTimes(root),
    confirm?.(known.seen) ?? NOTHING_CONFIRMED,
    checker.changed(root, table, known.seen.names),
  ])
  for (let row = 0; row < table.count; row++)
    if (((table.marks[row] as number) & SURE) === 0 || (!keepsTimes && table.kinds[row] === FOLDER_ROW))
      isChanged[row] = 1
  for (const row of confirmed.rows) isChanged[row] = 0
  for (const row of changed) isChanged[row] = 1
  return {
    isSame: !isChanged.includes(1),
    root: knownRoot(known.seen, isChanged),
    filesRead: confirmed.rows.length,
    bytesRead: confirmed.bytes,
  }
}

/**
 * The root of a table, seen from now; `isChanged` has 1 for each row that does not hold any more. `byRules`: without the
 * same ignore files, other files in it may count.
 */
export function knownRoot(source: NamedTable, isChanged: Uint8Array, byRules = true): KnownFolder {
  return knownFolder({ source, isChanged, openBefore: openBefore(source.table, isChanged), byRules }, 0)
}

/** The rows of a table, and what the file system shows of them. */
interface ComparedRows {
  readonly source: NamedTable
  readonly isChanged: Uint8Array
  readonly openBefore: Uint32Array
  readonly byRules: boolean
}

/** How many rows before each one are open: changed, or of a folder in which something was left out. */
function openBefore({ count, marks }: StatTable, isChanged: Uint8Array): Uint32Array {
  const before = new Uint32Array(count + 1)
  for (let row = 0; row < count; row++) {
    const isOpen = isChanged[row] === 1 || ((marks[row] as number) & HAS_LEFT_OUT) !== 0
    before[row + 1] = (before[row] as number) + (isOpen ? 1 : 0)
  }
  return before
}

function knownFolder(rowsNow: ComparedRows, row: number): KnownFolder {
  const { source, isChanged, openBefore, byRules } = rowsNow
  const { table } = source
  const areClosed = (start: number, end: number): boolean => openBefore[start] === openBefore[end]
  let rows: Map<string, number> | undefined
  const find = (name: string): number | undefined => {
    rows ??= new Map(childRows(table, row).map((child) => [nameIn(source, child), child]))
    return rows.get(name)
  }
  return {
    source,
    row,
    get isSame() {
      return areClosed(row, table.ends[row] as number)
    },
    get tree() {
      const oid = oidOf(table, row)
      return oid === NO_OID ? undefined : oid
    },
    get files() {
      let files = 0
      for (let at = row; at < (table.ends[row] as number); at++) if (isTaken(table.kinds[at])) files++
      return files
    },
    get sameItems() {
      if (!areClosed(row, row + 1)) return undefined
      return childRows(table, row).map((child) => ({
        name: nameIn(source, child),
        kind: ITEM_KINDS[table.kinds[child] as number] ?? "left-out",
        isSame: areClosed(child, table.ends[child] as number),
        folder: table.kinds[child] === FOLDER_ROW ? knownFolder(rowsNow, child) : undefined,
      }))
    },
    folder(name) {
      const child = find(name)
      return child === undefined || table.kinds[child] !== FOLDER_ROW ? undefined : knownFolder(rowsNow, child)
    },
    file(name, kind) {
      const child = find(name)
      if (child === undefined || isChanged[child] === 1) return undefined
      if (table.kinds[child] !== (kind === "file" ? FILE_ROW : LINK_ROW)) return undefined
      const isExecutable = ((table.marks[child] as number) & EXECUTABLE) !== 0
      const mode = kind === "link" ? "120000" : isExecutable ? "100755" : "100644"
      return { source, row: child, mode, oid: oidOf(table, child), sizeBytes: table.sizes[child] as number }
    },
    isSameFile(name, isThere, oid) {
      if (!byRules) return true
      const child = find(name)
      if (child === undefined) return !isThere
      const kind = table.kinds[child]
      if (!isThere || (kind !== FILE_ROW && kind !== LEFT_OUT_ROW)) return false
      return isChanged[child] === 0 || (kind === FILE_ROW && oidOf(table, child) === oid)
    },
  }
}

/** By the kind of row. */
const ITEM_KINDS: readonly KnownItem["kind"][] = ["folder", "file", "link", "left-out"]

function isTaken(kind: number | undefined): boolean {
  return kind === FILE_ROW || kind === LINK_ROW
}

/** The rows of what is directly in a folder. */
export function childRows({ ends }: StatTable, folder: number): number[] {
  const rows: number[] = []
  for (let row = folder + 1; row < (ends[folder] as number); row = ends[row] as number) rows.push(row)
  return rows
}

const NO_OID: string = "0".repeat(40)
