import { readFile, realpath, stat } from "node:fs/promises"
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path"
import { SnapshotError } from "../core/errors.js"
import { printable } from "./text.js"
import { wrongUse } from "./values.js"

/** Which folder a command is about, and from where its paths count. */
export interface Place {
  /** The folder to snapshot. */
  readonly worktree: string
  /** A path as the user names it, as the store takes it: INVALID_ARGUMENT when it leaves the work tree. */
  toStorePath(path: string): string
}

/**
 * The place that the command line means: `folder` as it is given, or else the top of the repository around the current
 * folder, or else the current folder. Paths count from `folder`, or else from the current folder.
 */
export async function findPlace(folder: string | undefined, currentFolder: () => string): Promise<Place> {
  const base =
    folder !== undefined && isAbsolute(folder) ? resolve(folder) : resolve(current(currentFolder), folder ?? "")
  const worktree = folder === undefined ? ((await enclosingTop(base)) ?? base) : base
  const real = await realpath(worktree).catch(() => worktree)
  return {
    worktree,
    toStorePath: (path) => {
      const inside = [worktree, real].map((top) => relative(top, resolve(base, path))).find(staysInside)
      if (inside === undefined)
        throw wrongUse("paths", `${printable(path)} is not in the work tree ${printable(worktree)}.`)
      return inside === "" ? "." : inside.split(sep).join("/")
    },
  }
}

function current(currentFolder: () => string): string {
  try {
    return currentFolder()
  } catch (cause) {
    throw new SnapshotError(
      "WORKTREE_MISSING",
      "The current folder is not there any more. Go to another one, or name one with -C.",
      { path: "." },
      cause,
    )
  }
}

async function enclosingTop(folder: string): Promise<string | undefined> {
  if (await holdsRepository(folder)) return folder
  const parent = dirname(folder)
  return parent === folder ? undefined : enclosingTop(parent)
}

/** A repository's .git is a folder with a HEAD, or in linked work trees and submodules a file that names one. */
async function holdsRepository(folder: string): Promise<boolean> {
  const dotGit = join(folder, ".git")
  const kind = await stat(dotGit).catch(() => undefined)
  if (kind?.isDirectory()) return (await stat(join(dotGit, "HEAD")).catch(() => undefined)) !== undefined
  if (kind?.isFile() !== true || kind.size > 65_536) return false
  return (await readFile(dotGit, "latin1").catch(() => "")).startsWith("gitdir: ")
}

function staysInside(path: string): boolean {
  return path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}
