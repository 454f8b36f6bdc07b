import { OidSet } from "../core/oid-set.js"
import { joinPath, nameOf, parentOf, ROOT, type RepoPath } from "../core/path.js"
import { FOLDER_ROW } from "../core/stat-checker.js"
import type { TreeEntry } from "../core/tree.js"
import type { TreeContents, TreeFiles } from "../core/tree-capture.js"
import { childRows } from "./known-tree.js"
import { entryOf, nameIn, type NamedTable } from "./stat-table.js"

/** What a tree holds, by the table of the capture that made it. Nothing is unpacked before it is asked for. */
export function tableContents(seen: NamedTable): TreeContents {
  let oids: OidSet | undefined
  let all: ReadonlyMap<RepoPath, TreeEntry> | undefined
  const files = (): ReadonlyMap<RepoPath, TreeEntry> => (all ??= new Map(entriesIn(seen)))
  const lookups = new Map<RepoPath, ReadonlyMap<string, number>>()

  function rowsIn(folder: RepoPath): ReadonlyMap<string, number> | undefined {
    const known = lookups.get(folder)
    if (known !== undefined) return known
    const row = folder === ROOT ? 0 : rowsIn(parentOf(folder))?.get(nameOf(folder))
    if (row === undefined || seen.table.kinds[row] !== FOLDER_ROW) return undefined
    const rows = new Map(childRows(seen.table, row).map((child) => [nameIn(seen, child), child]))
    lookups.set(folder, rows)
    return rows
  }

  function get(path: RepoPath): TreeEntry | undefined {
    const row = rowsIn(parentOf(path))?.get(nameOf(path))
    return row === undefined ? undefined : entryOf(seen, row)
  }

  const lazily: TreeFiles = { get, has: (path) => get(path) !== undefined, keys: () => files().keys() }
  return { files: lazily, has: (oid) => (oids ??= new OidSet(seen.table.oids)).has(oid) }
}

function* entriesIn(seen: NamedTable): Generator<[RepoPath, TreeEntry]> {
  const { table } = seen
  const open: { readonly end: number; readonly path: RepoPath }[] = []
  for (let row = 0; row < table.count; row++) {
    while (open.at(-1)?.end === row) open.pop()
    const path = row === 0 ? ROOT : joinPath(open.at(-1)?.path ?? ROOT, nameIn(seen, row))
    if (table.kinds[row] === FOLDER_ROW) open.push({ end: table.ends[row] as number, path })
    const entry = entryOf(seen, row)
    if (entry !== undefined) yield [path, entry]
  }
}
