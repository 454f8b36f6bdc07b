import type { FileSystem } from "../core/file-system.js"
import { folderAbove, lastName, pathFrom } from "./system-path.js"
import { readSmallFile, unlessRefused } from "./read-small-file.js"

/** The user's own repository, which encloses the work tree. All paths but `prefix` are the system's own. */
export interface OwnRepository {
  /** The folder that holds `.git`. */
  readonly top: string
  /** Where HEAD and the index are. */
  readonly gitdir: string
  /** Where configuration and `info/exclude` are: another folder than `gitdir` for a linked work tree. */
  readonly commonDir: string
  /** The work tree's path from `top`, with forward slashes; "" when it is the top. */
  readonly prefix: string
}

/**
 * The repository that encloses `worktree`, a real path: the nearest folder, from it upwards, with a `.git` that is one,
 * or that is a file which leads to one. As with Git, the search ends where another file system begins. What is not whole
 * is no repository, and the search goes on. GIT_DIR and the like have no effect: they were meant for another command.
 * Source: https://git-scm.com/docs/gitrepository-layout
 */
export async function findOwnRepository(fs: FileSystem, worktree: string): Promise<OwnRepository | undefined> {
  const names: string[] = []
  const device = (await look(fs, worktree))?.device
  let top: string | undefined = worktree
  while (top !== undefined) {
    if ((await look(fs, top))?.device !== device) return undefined
    const gitdir = await findGitdir(fs, top)
    if (gitdir !== undefined) {
      const commonDir = await findCommonDir(fs, gitdir)
      return { top, gitdir, commonDir, prefix: names.toReversed().join("/") }
    }
    names.push(lastName(top))
    top = folderAbove(top)
  }
  return undefined
}

async function findGitdir(fs: FileSystem, top: string): Promise<string | undefined> {
  const place = pathFrom(top, ".git")
  const real = await attempt(fs.realPath(place))
  const kind = real === undefined ? undefined : (await look(fs, real))?.kind
  if (real === undefined || (kind !== "folder" && kind !== "file")) return undefined
  if (kind === "folder") return (await isGitdir(fs, real)) ? place : undefined
  const text = await readSmallFile(fs, real)
  const target = /^gitdir: ([^]+?)[\r\n]*$/.exec(text ?? "")?.[1]
  if (target === undefined) return undefined
  const gitdir = await attempt(fs.realPath(pathFrom(top, target)))
  return gitdir !== undefined && (await isGitdir(fs, gitdir)) ? gitdir : undefined
}

/** Git asks for a HEAD that names a branch or a commit, and for objects and refs. */
async function isGitdir(fs: FileSystem, gitdir: string): Promise<boolean> {
  const head = await look(fs, pathFrom(gitdir, "HEAD"))
  const isHead =
    head?.kind === "link" ||
    /^(?:ref:\s*refs\/|[0-9a-f]{40})/.test((await readSmallFile(fs, pathFrom(gitdir, "HEAD"))) ?? "")
  if (!isHead) return false
  const common = await findCommonDir(fs, gitdir)
  for (const name of ["objects", "refs"]) {
    const real = await attempt(fs.realPath(pathFrom(common, name)))
    if (real === undefined || (await look(fs, real))?.kind !== "folder") return false
  }
  return true
}

async function findCommonDir(fs: FileSystem, gitdir: string): Promise<string> {
  const text = await readSmallFile(fs, pathFrom(gitdir, "commondir"))
  if (text === undefined) return gitdir
  const place = pathFrom(gitdir, text.replace(/[\r\n]+$/, ""))
  return (await attempt(fs.realPath(place))) ?? place
}

async function look(fs: FileSystem, path: string): ReturnType<FileSystem["lstat"]> {
  return attempt(fs.lstat(path))
}

async function attempt<Value>(call: Promise<Value | undefined>): Promise<Value | undefined> {
  return call.catch(unlessRefused)
}
