import { SnapshotError } from "../core/errors.js"
import { parseGlobs } from "../core/globs.js"
import { isInside, parsePath } from "../core/path.js"

/** Which paths a call is about: call it with the path of a file. */
export interface PathFilter {
  (path: string): boolean
  /** Whether a path inside `folder` may pass. False only when none can, so that the folder need not be read. */
  reaches(folder: string): boolean
}

/** What a filter is made of. All paths pass when neither is given; none when what is given is empty. */
export interface FilterSource {
  /** Literal files or folders, as parsePath takes them. A folder stands for all that is in it. */
  readonly paths?: readonly string[]
  /** As parseGlobs takes them. */
  readonly globs?: readonly string[]
}

/** The filter that lets a path pass when `paths` or `globs` name it. Bad paths and globs: INVALID_ARGUMENT. */
export function pathFilter({ paths, globs }: FilterSource): PathFilter {
  if (paths === undefined && globs === undefined) return Object.assign(() => true, { reaches: () => true })
  const literal = literalFilter(texts(paths, "paths").map((path) => parsePath(path)))
  const pattern = globFilter(texts(globs, "globs"))
  return Object.assign((path: string) => literal(path) || pattern(path), {
    reaches: (folder: string) => literal.reaches(folder) || pattern.reaches(folder),
  })
}

function texts(list: unknown, argument: "paths" | "globs"): readonly string[] {
  if (list === undefined) return []
  if (!Array.isArray(list) || !list.every((item) => typeof item === "string" && item !== ""))
    throw new SnapshotError("INVALID_ARGUMENT", `Give ${argument} as a list of texts that are not empty.`, { argument })
  return list as string[]
}

/** Sorted with "/" first, all that is in a folder follows it directly; with no path inside another, the one before holds it. */
function literalFilter(paths: readonly string[]): PathFilter {
  const given: string[] = []
  for (const path of paths.toSorted(compareFolderwise)) {
    const last = given.at(-1)
    if (last === undefined || !isInside(path, last)) given.push(path)
  }
  const holds = (path: string, at: number): boolean =>
    given[at] === path || (at > 0 && isInside(path, given[at - 1] as string))
  return Object.assign((path: string) => holds(path, firstNotBefore(given, path)), {
    reaches: (folder: string): boolean => {
      const at = firstNotBefore(given, folder)
      const next = given[at]
      return holds(folder, at) || (next !== undefined && isInside(next, folder))
    },
  })
}

function firstNotBefore(sorted: readonly string[], path: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareFolderwise(sorted[middle] as string, path) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function compareFolderwise(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return (left === SLASH ? 0 : left) - (right === SLASH ? 0 : right)
  }
  return a.length - b.length
}

const SLASH = 0x2f

function globFilter(globs: readonly string[]): PathFilter {
  const { matches, reaches } = parseGlobs(globs)
  return Object.assign((path: string) => matches(path), { reaches: (folder: string) => reaches(folder) })
}
