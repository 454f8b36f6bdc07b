import type { FileSystem } from "../../core/file-system.js"
import { isUtf8Name } from "../../core/path.js"
import type { PathLister, PathListing } from "../../core/path-lister.js"
import { fastGlobAdapter, GLOB_ROOT, hideLineEnds, showLineEnds } from "./fast-glob-adapter.js"

/** Lists paths by fast-glob, over any file system. */
export function fastGlobLister(fileSystem: FileSystem): PathLister {
  return { list: (root, globs) => list(fileSystem, root, globs) }
}

async function list(fileSystem: FileSystem, root: string, globs: readonly string[]): Promise<PathListing> {
  // Loading these takes some 45 ms, and most captures have no globs.
  const { parseGlobs } = await import("../../core/globs.js")
  const { takes, matches } = parseGlobs(globs)
  const patterns = takes.flatMap(withFolderItself).map(hideLineEnds)
  if (patterns.length === 0) return { paths: [], unreadable: [] }
  const { default: fastGlob } = await import("fast-glob")
  const adapter = fastGlobAdapter(fileSystem, root)
  const entries = await fastGlob.glob(patterns, {
    cwd: GLOB_ROOT,
    fs: adapter.methods,
    ignore: ["**/.git", "**/.git/**"],
    dot: true,
    caseSensitiveMatch: true,
    followSymbolicLinks: false,
    onlyFiles: false,
    objectMode: true,
    concurrency: FOLDERS_AT_ONCE,
  })
  const paths = entries
    .filter(({ dirent }) => dirent.isFile() || dirent.isSymbolicLink())
    .map(({ path }) => showLineEnds(path))
    .filter((path) => isUtf8Name(path) && matches(path))
  return { paths, unreadable: [...adapter.unreadable] }
}

/** To picomatch, "a/**" names "a", too; fast-glob would only look inside. It matters where "a" is a file or a link. */
function withFolderItself(glob: string): string[] {
  const folder = glob.replace(/(?:\/\*\*)+$/, "")
  return folder === glob ? [glob] : [glob, folder]
}

const FOLDERS_AT_ONCE = 16
