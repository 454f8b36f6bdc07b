/*
 * Names and paths inside a work tree or a tree object.
 *
 * Git stores names as bytes. Here a name is a string from which those bytes can be had back exactly:
 * UTF-8 is decoded, and a byte 0xNN that is no part of UTF-8 becomes the lone surrogate U+DCNN.
 * No UTF-8 text contains a lone surrogate, so nothing is confused.
 */
import { compareBytes, exactText, isAscii, latinText, utf8 } from "./bytes.js"
import { SnapshotError } from "./errors.js"

/** A path relative to the work tree's root, with forward slashes; "" is the root itself. */
export type RepoPath = string & { readonly brand: "RepoPath" }

/** The root of the work tree. */
export const ROOT: RepoPath = "" as RepoPath

/** The path of `name` in `folder`. */
export function joinPath(folder: RepoPath, name: string): RepoPath {
  return (folder === "" ? name : `${folder}/${name}`) as RepoPath
}

/** The folder that holds `path`; the root for a name at top level. */
export function parentOf(path: RepoPath): RepoPath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) as RepoPath
}

/** The last component of `path`. */
export function nameOf(path: RepoPath): string {
  return path.slice(path.lastIndexOf("/") + 1)
}

/** Whether `path` is `folder` or lies inside it. The root holds everything. */
export function isInside(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`)
}

/**
 * The path that a caller names. Takes a trailing slash and "."; refuses what is absolute, empty between
 * slashes, or climbs: INVALID_ARGUMENT with `argument`.
 */
export function parsePath(text: string, argument: string = "paths"): RepoPath {
  if (typeof text !== "string") throw new SnapshotError("INVALID_ARGUMENT", "A path is a text.", { argument })
  const trimmed = text.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "")
  if (text !== "" && (trimmed === "" || trimmed === ".") && !text.startsWith("/")) return ROOT
  const parts = trimmed.split("/")
  if (text.startsWith("/") || text.includes("\0") || parts.some((part) => part === "" || part === "." || part === ".."))
    throw new SnapshotError(
      "INVALID_ARGUMENT",
      `${escapePath(text) || "An empty text"} is no path inside the work tree. Give it relative to the work tree's root, with forward slashes.`,
      { argument },
    )
  return trimmed as RepoPath
}

/** The name that `bytes` spell, from which encodeName gives the same bytes. */
export function decodeName(bytes: Uint8Array): string {
  // A decoder takes longer to begin than most names to read.
  if (bytes.length <= SHORT_NAME && isAscii(bytes)) return latinText(bytes)
  return exactText(bytes) ?? decodeBrokenName(bytes)
}

/** The bytes of a name or path that came from decodeName. */
export function encodeName(name: string): Uint8Array {
  if (isUtf8Name(name)) return utf8(name)
  const bytes: number[] = []
  for (const symbol of name) {
    const code = symbol.codePointAt(0) as number
    if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00)
    else bytes.push(...utf8(symbol))
  }
  return Uint8Array.from(bytes)
}

/** Whether a name from decodeName stood for valid UTF-8. */
export function isUtf8Name(name: string): boolean {
  return name.isWellFormed()
}

/** Negative, zero or positive, as the bytes of `a` sort before, with or after those of `b`. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left === right) continue
    // UTF-16 order differs from byte order only from the surrogates on, where bytes that are no UTF-8 stand, too.
    if (left >= 0xd800 || right >= 0xd800) return compareEncoded(a, b)
    return left - right
  }
  return a.length - b.length
}

/**
 * Whether Git refuses `name` as a tree entry in any system's spelling: empty, ".", "..", with a slash or a NUL,
 * ".git", and what NTFS or HFS+ take for ".git". Names that are no UTF-8 count as unsafe, too.
 * Source: git's fsck messages (hasDot, hasDotdot, hasDotgit), https://git-scm.com/docs/git-fsck
 */
export function isUnsafeName(name: string): boolean {
  if (PLAIN_NAME.test(name)) return false
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) return true
  if (!isUtf8Name(name)) return true
  return name.split("\\").some(isNtfsDotGit) || isHfsDotGit(name)
}

/** What most names are, and no unsafe one is. */
export const PLAIN_NAME: RegExp = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/

/** A path for people: control characters, backslashes and bytes that are no UTF-8 as escapes. */
export function escapePath(path: string): string {
  let shown = ""
  for (const symbol of path) {
    const code = symbol.codePointAt(0) as number
    if (code >= 0xdc80 && code <= 0xdcff) shown += `\\x${(code - 0xdc00).toString(16)}`
    else if (code >= 0xd800 && code <= 0xdfff) shown += `\\u${code.toString(16)}`
    else if (symbol === "\\") shown += "\\\\"
    else if (code === 0x0a) shown += "\\n"
    else if (code === 0x09) shown += "\\t"
    else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) shown += `\\x${code.toString(16).padStart(2, "0")}`
    else shown += symbol
  }
  return shown
}

const SHORT_NAME = 256

function decodeBrokenName(bytes: Uint8Array): string {
  let name = ""
  let at = 0
  while (at < bytes.length) {
    const symbol = symbolAt(bytes, at)
    name += symbol ?? String.fromCharCode(0xdc00 + (bytes[at] as number))
    at += symbol === undefined ? 1 : utf8(symbol).length
  }
  return name
}

function symbolAt(bytes: Uint8Array, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    const symbol = exactText(bytes.subarray(at, at + length))
    if (symbol !== undefined) return symbol
  }
  return undefined
}

function compareEncoded(a: string, b: string): number {
  return compareBytes(encodeName(a), encodeName(b))
}

/** NTFS drops trailing dots and spaces, knows streams after a colon, and may call ".git" by its short name. */
function isNtfsDotGit(name: string): boolean {
  return /^(?:\.git|git~1)[. ]*(?:$|:)/i.test(name)
}

/** HFS+ ignores some code points when it compares names. */
function isHfsDotGit(name: string): boolean {
  return name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu, "").toLowerCase() === ".git"
}
