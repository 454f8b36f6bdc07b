import picomatch from "picomatch/posix.js"
import { SnapshotError } from "../core/errors.js"

/** Globs that have been checked. */
export interface Globs {
  /** Those that name paths, without "./" in front; `**` when all given ones take paths out. */
  readonly takes: readonly string[]
  /** Whether the globs name this path, and none of those with "!" takes it out. */
  matches(path: string): boolean
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
  const sparing = spares.map(matcherOf)
  return {
    takes,
    matches: (path) => taking.some((takes) => takes(path)) && !sparing.some((spares) => spares(path)),
  }
}

function checked(glob: string, pattern: string): string {
  const plain = pattern.replace(/^(?:\.\/+)+/, "").replace(/\/+(?:\.?\/+)*/g, "/")
  if (plain === "" || plain === ".") throw refused(glob, "it names nothing")
  if (plain.startsWith("/") || /^[A-Za-z]:/.test(plain))
    throw refused(glob, "it is absolute. Give it relative to the work tree")
  if (/(?:^|[/{,(|])\.\.(?:$|[/},)|])/.test(plain)) throw refused(glob, "it leads out of the work tree")
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

function refused(glob: string, reason: string, cause?: unknown): SnapshotError {
  const message = `The glob "${glob.slice(0, 100)}" is refused: ${reason}.`
  return new SnapshotError("INVALID_ARGUMENT", message, { argument: "globs" }, cause)
}

/**
 * `posix`: [!a] is any character but a, and [[:alpha:]] a class. `s`: names may hold newlines. `debug`: a glob that gives
 * no regular expression throws, instead of matching nothing.
 */
const OPTIONS: picomatch.PicomatchOptions = { dot: true, posix: true, windows: false, flags: "s", debug: true }
