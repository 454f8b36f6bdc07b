/*
 * Trees and commits built by isomorphic-git, on a folder of ours that hands each object on.
 */
import { COMMITTER, encodeCommit, type Commit } from "../core/commit.js"
import type { Deflater } from "../core/deflater.js"
import { SnapshotError } from "../core/errors.js"
import type { GitLibrary, ObjectFolder } from "../core/git-library.js"
import { splitLoose, type ObjectType } from "../core/object.js"
import { toOid, type Oid } from "../core/oid.js"
import { encodeTree, type TreeEntry } from "../core/tree.js"

/** Takes an object that was built. */
export type TakeObject = (type: ObjectType, bytes: Uint8Array, oid: Oid) => Promise<void>

/**
 * Whether isomorphic-git sorts and keeps these names as Git does. It compares UTF-16 units where Git compares bytes,
 * which differ from the surrogates on, and it refuses to read a name with a backslash back.
 */
export function libraryCarries(entries: readonly TreeEntry[]): boolean {
  return entries.every(({ name }) => !/[\\\ud800-\uffff]/.test(name))
}

/** Builds the tree of `entries`, whose oid is known, and hands it to `take`. */
export async function buildTree(
  library: GitLibrary,
  deflater: Deflater,
  entries: readonly TreeEntry[],
  oid: Oid,
  take: TakeObject,
): Promise<void> {
  const folder = objectFolder(deflater, encodeTree(entries).length, take)
  const tree = entries.map((entry) => ({ mode: entry.mode, path: entry.name, oid: entry.oid, type: typeOf(entry) }))
  agree(oid, await library.writeTree({ fs: folder, gitdir: GITDIR, tree }))
}

/** Builds a commit, whose oid is known, and hands it to `take`. */
export async function buildCommit(
  library: GitLibrary,
  deflater: Deflater,
  commit: Commit,
  oid: Oid,
  take: TakeObject,
): Promise<void> {
  const folder = objectFolder(deflater, encodeCommit(commit).length, take)
  const person = { ...COMMITTER, timestamp: commit.seconds, timezoneOffset: 0 }
  const { tree, message } = commit
  const built = { tree, parent: [...commit.parents], message, author: person, committer: person }
  agree(oid, await library.writeCommit({ fs: folder, gitdir: GITDIR, commit: built }))
}

const GITDIR = "/store"

/** Longer than any object's header. */
const HEADER_BYTES = 32

function typeOf(entry: TreeEntry): "blob" | "tree" | "commit" {
  return entry.mode === "40000" ? "tree" : entry.mode === "160000" ? "commit" : "blob"
}

/** Two encoders have to agree before an object is counted on. */
function agree(expected: Oid, built: string): void {
  if (built === expected) return
  throw new SnapshotError(
    "OBJECT_CORRUPT",
    `isomorphic-git built ${built} where ${expected} belongs. Nothing was stored; please report this.`,
    { oid: expected },
  )
}

/** An empty gitdir: whatever is written to it as a loose object goes to `take`. */
function objectFolder(deflater: Deflater, sizeBytes: number, take: TakeObject): ObjectFolder {
  const stat = async (path: string): Promise<{ isDirectory: () => boolean; isFile: () => boolean }> => {
    if (path !== GITDIR) throw absent(path)
    return { isDirectory: () => true, isFile: () => false }
  }
  const missing = async (path: string): Promise<never> => {
    throw absent(path)
  }
  const nothing = async (): Promise<void> => {}
  return {
    promises: {
      async writeFile(path, deflated) {
        const oid = toOid(path.slice(`${GITDIR}/objects/`.length).replace("/", ""))
        const object = splitLoose(await deflater.inflateAll(deflated, sizeBytes + HEADER_BYTES))
        if (oid === undefined || object === undefined) throw absent(path)
        await take(object.type, object.bytes, oid)
      },
      stat,
      lstat: stat,
      readFile: missing,
      readlink: missing,
      unlink: missing,
      readdir: async () => [],
      mkdir: nothing,
      rmdir: nothing,
      symlink: missing,
    },
  }
}

function absent(path: string): Error & { code: string } {
  return Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" })
}
