/*
 * Tree objects. Entry after entry, without a separator:
 *
 *   <mode in octal digits> SP <name> NUL <20 bytes of the oid>
 *
 * sorted by name, byte by byte, a folder's name as if it ended in "/".
 * Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects, https://git-scm.com/docs/git-fast-import
 */
import { concat, utf8 } from "./bytes.js"
import { SnapshotError } from "./errors.js"
import { OID_BYTES, oidAt, oidBytes, type Oid } from "./oid.js"
import { comparePaths, decodeName, encodeName } from "./path.js"
import { readAs, type ObjectReader } from "./object.js"

/** The mode of a tree entry, as Git writes it: file, executable file, link, folder, gitlink. */
export type Mode = "100644" | "100755" | "120000" | "40000" | "160000"

/** An entry of a tree object. Names are as decodeName gives them. */
export interface TreeEntry {
  readonly mode: Mode
  readonly name: string
  readonly oid: Oid
}

/** Negative, zero or positive, as entry `a` stands before, with or after `b` in a tree. */
export function compareEntries(a: TreeEntry, b: TreeEntry): number {
  return comparePaths(sortName(a), sortName(b))
}

/** The tree object of `entries`, which may come in any order. */
export function encodeTree(entries: readonly TreeEntry[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const entry of entries.toSorted(compareEntries))
    parts.push(utf8(`${entry.mode} `), encodeName(entry.name), NUL, oidBytes(entry.oid))
  return concat(parts)
}

/**
 * The entries of a tree object, in stored order. Modes that old Gits wrote for plain files are read as today's Git reads
 * them. Bytes that are no tree: OBJECT_CORRUPT with `oid`.
 */
export function decodeTree(bytes: Uint8Array, oid: Oid): TreeEntry[] {
  const entries: TreeEntry[] = []
  let at = 0
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at)
    const nul = bytes.indexOf(0, space + 1)
    const mode = space - at > 6 ? undefined : canonicalMode(String.fromCharCode(...bytes.subarray(at, space)))
    if (space < 0 || nul <= space + 1 || mode === undefined || nul + 1 + OID_BYTES > bytes.length)
      throw new SnapshotError("OBJECT_CORRUPT", `The tree ${oid} cannot be read: it is no list of entries.`, { oid })
    const name = decodeName(bytes.subarray(space + 1, nul))
    if (entries.at(-1)?.name === name)
      throw new SnapshotError("OBJECT_CORRUPT", `The tree ${oid} cannot be read: it names one entry twice.`, { oid })
    entries.push({ mode, name, oid: oidAt(bytes, nul + 1) })
    at = nul + 1 + OID_BYTES
  }
  return entries
}

/** The entries of the tree `oid`: OBJECT_MISSING, OBJECT_CORRUPT. */
export async function readTree(reader: ObjectReader, oid: Oid): Promise<TreeEntry[]> {
  return decodeTree(await readAs(reader, oid, "tree"), oid)
}

/** Git's own reading of a mode: a folder, a link, a gitlink, or a file that may be executable. */
function canonicalMode(digits: string): Mode | undefined {
  if (!/^[0-7]{5,6}$/.test(digits)) return undefined
  const mode = Number.parseInt(digits, 8)
  const kind = mode & 0o170000
  if (kind === 0o040000) return "40000"
  if (kind === 0o120000) return "120000"
  if (kind === 0o160000) return "160000"
  if (kind === 0o100000) return (mode & 0o100) === 0 ? "100644" : "100755"
  return undefined
}

function sortName(entry: TreeEntry): string {
  return entry.mode === "40000" ? `${entry.name}/` : entry.name
}

const NUL = new Uint8Array(1)
