import { OID_BYTES, oidBytes, type Oid } from "../core/oid.js"
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

/**
 * Finds oids among many that stand one behind the other, some more than once. A slot holds the place of one, counted from
 * one on; nothing is 0.
 */
class OidSet {
  readonly #oids: Uint8Array
  readonly #slots: Uint32Array
  readonly #mask: number

  constructor(oids: Uint8Array) {
    const count = oids.length / OID_BYTES
    this.#oids = oids
    this.#mask = 2 ** Math.ceil(Math.log2(2 * count + 2)) - 1
    this.#slots = new Uint32Array(this.#mask + 1)
    for (let i = 0; i < count; i++) {
      this.#slots[this.#slotOf(oids, i * OID_BYTES)] = i + 1
    }
  }

  has(oid: Oid): boolean {
    return this.#slots[this.#slotOf(oidBytes(oid), 0)] !== 0
  }

  /** The slot that has the oid at `at`, or else the free one for it. */
  #slotOf(bytes: Uint8Array, at: number): number {
    for (let slot = this.#first(bytes, at); ; slot = (slot + 1) & this.#mask) {
      const found = this.#slots[slot] as number
      if (found === 0 || isSameOid(this.#oids, (found - 1) * OID_BYTES, bytes, at)) return slot
    }
  }

  /** Oids are as good as random: four bytes say where to look first. */
  #first(bytes: Uint8Array, at: number): number {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
    return (low | ((bytes[at + 3] as number) << 24)) & this.#mask
  }
}

function isSameOid(a: Uint8Array, atA: number, b: Uint8Array, atB: number): boolean {
  for (let i = 0; i < OID_BYTES; i++) if (a[atA + i] !== b[atB + i]) return false
  return true
}
