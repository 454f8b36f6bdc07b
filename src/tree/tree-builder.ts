import { hashObject } from "../core/object.js"
import type { FileStat } from "../core/file-system.js"
import type { Hasher } from "../core/hasher.js"
import { EMPTY_TREE, type Oid } from "../core/oid.js"
import { isInside, joinPath, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"
import { FILE_ROW, FOLDER_ROW, LEFT_OUT_ROW, LINK_ROW } from "../core/stat-checker.js"
import { encodeTree, type TreeEntry } from "../core/tree.js"
import type { NewTree } from "../core/tree-capture.js"
import { pauses, type Pause } from "../core/turns.js"
import { childRows, type KnownFile, type KnownFolder } from "./known-tree.js"
import {
  EMPTY,
  EXECUTABLE,
  entryOf,
  HAS_LEFT_OUT,
  nameIn,
  StatTableWriter,
  SURE,
  type NamedTable,
  type StatRow,
} from "./stat-table.js"

/** What the file system told of a path, and whether nothing can change without showing there. */
export interface SeenStat {
  readonly stat: FileStat
  readonly isSure: boolean
}

/** Collects the files of a work tree and makes the trees of them. */
export interface TreeBuilder {
  /** Notes a folder; its parent has to be noted before. `isEmpty`: there is nothing at all in it. */
  addFolder(path: RepoPath, seen: SeenStat, isEmpty: boolean): void
  /** Notes a folder as it is known, with all files and links directly in it but those named in `except`. */
  addKnownFolder(path: RepoPath, known: KnownFolder, except: ReadonlySet<string>): void
  /** Adds a file or link to a folder that was noted. */
  addFile(path: RepoPath, mode: TreeEntry["mode"], oid: Oid, seen: SeenStat): void
  /** Adds a file or link as it is known. */
  addKnownFile(path: RepoPath, file: KnownFile): void
  /** Adds a folder with all that is known of it to a folder that was noted. */
  addKnown(path: RepoPath, known: KnownFolder): void
  /**
   * Notes that something in a folder is left out; with what was seen of it, where that says whether it still is. Where
   * nothing can say it, `mayPass`: the folder is looked into again next time.
   */
  leaveOut(path: RepoPath, seen: SeenStat | undefined, mayPass: boolean): void
  /** Notes an ignore file that counts, whether it is captured or not. */
  addRules(path: RepoPath, seen: SeenStat): void
  /** Drops a folder with all that was added in and below it. */
  dropFolder(path: RepoPath): void
  /** The file or link at a path, if one was added. */
  fileAt(path: RepoPath): TreeEntry | undefined
  /** All trees that are not known, children before parents, the root last. Folders without a file in or below them are left out. */
  build(hasher: Hasher): Promise<BuiltTrees>
}

/** The trees of a work tree. */
export interface BuiltTrees {
  readonly root: Oid
  readonly trees: readonly NewTree[]
  /** What was seen, path by path. */
  readonly seen: NamedTable
}

interface Folder {
  readonly row: StatRow | KnownFolder
  /** Files and links of the known folder that are not in it any more, or are added as they are now. */
  readonly except: ReadonlySet<string>
  readonly entries: Map<string, TreeEntry>
  readonly rows: StatRow[]
  readonly knownFiles: KnownFile[]
  readonly known: Map<string, KnownFolder>
  readonly folders: Set<string>
  hasLeftOut: boolean
  isUnsettled: boolean
  tree: Oid | undefined
}

export function treeBuilder(): TreeBuilder {
  const folders = new Map<RepoPath, Folder>()

  function note(path: RepoPath, row: StatRow | KnownFolder, except: ReadonlySet<string>): void {
    if (path !== ROOT) folders.get(parentOf(path))?.folders.add(nameOf(path))
    folders.set(path, {
      row,
      except,
      entries: new Map(),
      rows: [],
      knownFiles: [],
      known: new Map(),
      folders: new Set(),
      hasLeftOut: false,
      isUnsettled: false,
      tree: undefined,
    })
  }

  async function buildTrees(hasher: Hasher, pause: Pause): Promise<NewTree[]> {
    const trees: NewTree[] = []
    // A folder is noted after its parent, so in reverse order children come first.
    for (const [path, folder] of [...folders].reverse()) {
      await pause()
      const { row, entries, known } = folder
      if ("source" in row)
        for (const [name, file] of knownFiles(row, folder.except)) {
          entries.set(name, file)
          if (entries.size % PAUSE_ENTRIES === 0) await pause()
        }
      for (const [name, { tree }] of known)
        if (tree !== undefined) entries.set(name, { mode: "40000", name, oid: tree })
      if (entries.size === 0) continue
      const listed = [...entries.values()]
      await pause()
      const bytes = encodeTree(listed)
      const oid = await hashObject(hasher, "tree", bytes)
      trees.push({ oid, entries: listed, bytes })
      folder.tree = oid
      const name = nameOf(path)
      if (path !== ROOT) folders.get(parentOf(path))?.entries.set(name, { mode: "40000", name, oid })
    }
    return trees
  }

  async function writeRows(writer: StatTableWriter, path: RepoPath, pause: Pause): Promise<void> {
    const folder = folders.get(path)
    if (folder === undefined) return
    await pause()
    const { row, rows, entries, known, tree } = folder
    const marks = folder.hasLeftOut ? HAS_LEFT_OUT : 0
    const at =
      "source" in row
        ? writer.addFolder(row.source, row.row, marks, tree)
        : writer.add({ ...row, marks: row.marks | marks, oid: tree })
    if (folder.isUnsettled) writer.doubt(at)
    if ("source" in row) for (const [start, end] of knownRows(row, folder.except)) writer.copy(row.source, start, end)
    for (const one of rows) if (one.kind !== LEFT_OUT_ROW || !entries.has(one.name)) writer.add(one)
    for (const { source, row: start } of folder.knownFiles) writer.copy(source, start, start + 1)
    for (const { source, row: start } of known.values()) writer.copy(source, start, source.table.ends[start] as number)
    for (const name of folder.folders) await writeRows(writer, joinPath(path, name), pause)
    writer.close(at)
  }

  return {
    addFolder(path, seen, isEmpty) {
      note(path, rowOf(FOLDER_ROW, nameOf(path), seen, isEmpty ? EMPTY : 0, undefined), new Set())
    },
    addKnownFolder: note,
    addFile(path, mode, oid, seen) {
      const name = nameOf(path)
      const folder = folders.get(parentOf(path))
      folder?.entries.set(name, { mode, name, oid })
      const kind = mode === "120000" ? LINK_ROW : FILE_ROW
      folder?.rows.push(rowOf(kind, name, seen, mode === "100755" ? EXECUTABLE : 0, oid))
    },
    addKnownFile(path, file) {
      const folder = folders.get(parentOf(path))
      const name = nameOf(path)
      folder?.entries.set(name, { mode: file.mode, name, oid: file.oid })
      folder?.knownFiles.push(file)
    },
    addKnown(path, known) {
      folders.get(parentOf(path))?.known.set(nameOf(path), known)
    },
    leaveOut(path, seen, mayPass) {
      const folder = folders.get(parentOf(path))
      if (folder === undefined) return
      folder.hasLeftOut = true
      folder.isUnsettled ||= mayPass
      if (seen !== undefined) folder.rows.push(rowOf(LEFT_OUT_ROW, nameOf(path), seen, 0, undefined))
    },
    addRules(path, seen) {
      folders.get(parentOf(path))?.rows.push(rowOf(LEFT_OUT_ROW, nameOf(path), seen, 0, undefined))
    },
    dropFolder(path) {
      for (const folder of folders.keys()) if (isInside(folder, path)) folders.delete(folder)
    },
    fileAt(path) {
      return folders.get(parentOf(path))?.entries.get(nameOf(path))
    },
    async build(hasher) {
      const pause = pauses()
      const trees = await buildTrees(hasher, pause)
      const writer = new StatTableWriter()
      await writeRows(writer, ROOT, pause)
      const seen = writer.finish()
      const root = folders.get(ROOT)?.tree
      if (root !== undefined) return { root, trees, seen }
      return { root: EMPTY_TREE, trees: [{ oid: EMPTY_TREE, entries: [], bytes: new Uint8Array() }], seen }
    },
  }
}

const PAUSE_ENTRIES = 1024

/** The files and links directly in a known folder, and those that are left out there, but for some; where those next to each other begin and end. */
function* knownRows(
  { source, row }: KnownFolder,
  except: ReadonlySet<string>,
): Generator<readonly [start: number, end: number]> {
  let start: number | undefined
  let end = row
  for (const child of childRows(source.table, row)) {
    if (source.table.kinds[child] === FOLDER_ROW || except.has(nameIn(source, child))) continue
    if (start !== undefined && child !== end) {
      yield [start, end]
      start = undefined
    }
    start ??= child
    end = child + 1
  }
  if (start !== undefined) yield [start, end]
}

/** The same as entries of a tree. */
function* knownFiles(known: KnownFolder, except: ReadonlySet<string>): Generator<readonly [name: string, TreeEntry]> {
  for (const [start, end] of knownRows(known, except))
    for (let row = start; row < end; row++) {
      const entry = entryOf(known.source, row)
      if (entry !== undefined) yield [entry.name, entry]
    }
}

function rowOf(kind: number, name: string, { stat, isSure }: SeenStat, marks: number, oid: Oid | undefined): StatRow {
  return {
    kind,
    name,
    marks: marks | (isSure ? SURE : 0),
    permissions: stat.permissions,
    sizeBytes: stat.sizeBytes,
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    inode: stat.inode,
    oid,
  }
}
