import picomatch from "picomatch/posix.js"
import { SnapshotError } from "./errors.js"
import { isInside } from "./path.js"

/**
 * Globs of picomatch that have been checked. They are matched against whole paths with forward slashes: `*` stays within
 * a folder and takes names that begin with a dot, `**` crosses folders, letter case counts, a backslash escapes. A glob
 * that begins with "!" takes out what it names from what the others match, or from everything when there are no others.
 */
export interface Globs {
  /** Those that name paths, without "./" in front; `**` when all given ones take paths out. */
  readonly takes: readonly string[]
  /** Whether the globs name this path, and none of those with "!" takes it out. */
  matches(path: string): boolean
  /** Whether a path inside `folder` may match. False only when none can, so that the folder need not be read. */
  reaches(folder: string): boolean
}

/** Checks `globs` and sorts them by what they do. Empty, absolute or climbing ones: INVALID_ARGUMENT. */
export function parseGlobs(globs: readonly string[]): Globs {
  const takes: string[] = []
  const spares: string[] = []
  for (const glob of globs) {
    // An even number of "!" is none; "!(" opens a group of alternatives.
    const isNegated = /^!(?:!!)*(?!\(|!)/.test(glob)
    const pattern = checked(glob, glob.replace(/^!+(?!\()/, ""))
    if (isNegated) spares.push(pattern)
    else takes.push(pattern)
  }
  if (takes.length === 0 && spares.length > 0) takes.push("**")
  const taking = takes.map(matcherOf)
  const bases = takes.map(literalBase)
  const sparing = spares.map(matcherOf)
  return {
    takes,
    matches: (path) => taking.some((takes) => takes(path)) && !sparing.some((spares) => spares(path)),
    reaches: (folder) => bases.some((base) => isInside(base, folder) || isInside(folder, base)),
  }
}

function checked(glob: string, pattern: string): string {
  const plain = pattern.replace(/^(?:\.\/+)+/, "").replace(/\/+(?:\.?\/+)*/g, "/")
  if (plain === "" || plain === ".") throw refused(glob, "it names nothing")
  if (plain.startsWith("/") || /^[A-Za-z]:/.test(plain))
    throw refused(glob, "it is absolute. Give it relative to the work tree")
  if (/(?:^|[/{,(|])\.\.(?:$|[/},)|])/.test(plain)) throw refused(glob, "it leads out of the work tree")
  if (plain.endsWith("/")) throw refused(glob, `it names folders only. Write "${plain}**" for what is in them`)
  return plain
}

function matcherOf(glob: string): (path: string) => boolean {
  try {
    const matches = picomatch(glob, OPTIONS)
    return (path) => matches(path)
  } catch (cause) {
    throw refused(glob, "it cannot be matched. Check its brackets", cause)
  }
}

/** The leading folders of a glob in which no character can mean anything but itself. */
function literalBase(glob: string): string {
  const folders = glob.split("/").slice(0, -1)
  const special = folders.findIndex((part) => !/^[\p{L}\p{N}_ .-]+$/u.test(part) || /^\.+$/.test(part))
  return folders.slice(0, special < 0 ? folders.length : special).join("/")
}

function refused(glob: string, reason: string, cause?: unknown): SnapshotError {
  const message = `The glob "${glob.slice(0, 100)}" is refused: ${reason}.`
  return new SnapshotError("INVALID_ARGUMENT", message, { argument: "globs" }, cause)
}

/**
 * `posix`: [!a] is any character but a, and [[:alpha:]] a class. `s`: names may hold newlines. `debug`: a glob that gives
 * no regular expression throws, instead of matching nothing.
 */
const OPTIONS: picomatch.PicomatchOptions = { dot: true, posix: true, windows: false, flags: "s", debug: true }
