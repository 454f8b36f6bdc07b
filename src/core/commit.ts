/*
 * Commit objects: header lines, an empty line, the message.
 *
 *   tree <oid> LF
 *   parent <oid> LF            (none or more)
 *   author <name> SP "<" <email> ">" SP <seconds> SP <zone> LF
 *   committer <as author> LF
 *   LF <message>
 *
 * Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
 */
import { lossyText, utf8 } from "./bytes.js"
import { SnapshotError } from "./errors.js"
import { parseOid, type Oid } from "./oid.js"

/** A commit, as far as it matters here. Author and committer are always the library itself. */
export interface Commit {
  readonly tree: Oid
  readonly parents: readonly Oid[]
  /** Committed at, in whole seconds since 1970. */
  readonly seconds: number
  /** Ends in a newline and has no empty line at its start or end. */
  readonly message: string
}

/** Who stands as author and committer. */
export const COMMITTER = { name: "treeshot", email: "treeshot@localhost" } as const

/** The commit object of `commit`. */
export function encodeCommit(commit: Commit): Uint8Array {
  const person = `${COMMITTER.name} <${COMMITTER.email}> ${commit.seconds} +0000`
  const parents = commit.parents.map((oid) => `parent ${oid}\n`).join("")
  return utf8(`tree ${commit.tree}\n${parents}author ${person}\ncommitter ${person}\n\n${commit.message}`)
}

/** The commit in `bytes`, whoever wrote it. Bytes that are no commit: OBJECT_CORRUPT with `oid`. */
export function decodeCommit(bytes: Uint8Array, oid: Oid): Commit {
  const text = lossyText(bytes)
  const end = text.indexOf("\n\n")
  const header = (end < 0 ? text : text.slice(0, end)).split("\n")
  const tree = header[0]?.startsWith("tree ") === true ? header[0].slice(5) : undefined
  const committer = header.find((line) => line.startsWith("committer "))
  const seconds = committer === undefined ? undefined : /> (-?\d+) [-+]\d{4}$/.exec(committer)?.[1]
  if (tree === undefined || seconds === undefined)
    throw new SnapshotError("OBJECT_CORRUPT", `The commit ${oid} cannot be read: a header line is missing.`, { oid })
  const parents = header.filter((line) => line.startsWith("parent ")).map((line) => parseOid(line.slice(7)))
  return { tree: parseOid(tree), parents, seconds: Number(seconds), message: end < 0 ? "" : text.slice(end + 2) }
}
