import { lstat, realpath } from "node:fs/promises"
import { isAbsolute, relative, resolve, sep } from "node:path"
import { SnapshotError } from "../core/errors.js"
import { isInside, parsePath, ROOT, type RepoPath } from "../core/path.js"
import { openStore } from "../open-store.js"
import type { Filter, OpenOptions, SnapshotStore } from "../snapshot-store.js"
import { folderGlob } from "./folder-glob.js"

/** Which place to open. Paths are absolute. */
export interface PlaceRequest {
  readonly directory: string
  readonly worktree: string
  readonly open: Omit<OpenOptions, "worktree" | "include">
  /** Ends what runs in the place, as its signal. */
  readonly closing: AbortSignal
}

/** An open store with the folder in it that all is limited to. */
export interface Place {
  readonly store: SnapshotStore
  /** Names the folder to calls of the store; empty when it is the work tree. */
  readonly filter: Filter
  /** Aborted when looks and captures are to end. */
  readonly closing: AbortSignal
  /** The absolute path of a path in the work tree, below the work tree as it was given, with forward slashes. */
  absolute(path: string): string
  /** The path in the work tree of an absolute path; undefined when it is not in the folder. */
  inFolder(file: string): RepoPath | undefined
  /** Whether something stands at a path of the work tree that is no folder. */
  isFile(path: string): Promise<boolean>
}

/** What the options of createSnapshot say of the place: INVALID_ARGUMENT for what is no path. Looks at nothing on disk. */
export function parsePlace(
  options: Omit<OpenOptions, "worktree"> & { readonly directory: string; readonly worktree?: string },
  closing: AbortSignal,
): PlaceRequest {
  if (typeof options !== "object" || options === null)
    throw new SnapshotError("INVALID_ARGUMENT", "Options are an object with a directory.", { argument: "options" })
  const { directory, worktree = directory, gitdir, backend, newFileLimitBytes, durability, allowAnyRoot } = options
  const demand = (argument: string, isRight: boolean, what: string): void => {
    if (!isRight) throw new SnapshotError("INVALID_ARGUMENT", `${argument} is ${what}.`, { argument })
  }
  demand("backend", [undefined, "pure", "native"].includes(backend), `"pure" or "native"`)
  demand("durability", [undefined, "power", "process"].includes(durability), `"power" or "process"`)
  demand("allowAnyRoot", [undefined, true, false].includes(allowAnyRoot), "true or false")
  const limit = newFileLimitBytes ?? 0
  demand(
    "newFileLimitBytes",
    newFileLimitBytes !== null && Number.isSafeInteger(limit) && limit >= 0,
    "a whole number of bytes, 0 or more",
  )
  return {
    directory: folderOf(directory, "directory"),
    worktree: folderOf(worktree, "worktree"),
    open: {
      ...(gitdir === undefined ? {} : { gitdir: folderOf(gitdir, "gitdir") }),
      ...(backend === undefined ? {} : { backend }),
      ...(newFileLimitBytes === undefined ? {} : { newFileLimitBytes }),
      ...(durability === undefined ? {} : { durability }),
      ...(allowAnyRoot === undefined ? {} : { allowAnyRoot }),
    },
    closing,
  }
}

/** Opens the store. Beside the errors of openStore: WORKTREE_MISSING and INVALID_ARGUMENT for the directory. */
export async function openPlace({ directory, worktree, open, closing }: PlaceRequest): Promise<Place> {
  const folder = await folderIn(worktree, directory)
  const include = folder === ROOT ? {} : { include: [folderGlob(folder)] }
  // The facade cleans up by its own rule.
  const store = await openStore({ ...open, worktree, ...include, retention: false })
  // What is named may come by the path that was given, or by the real one.
  const roots = [worktree, store.worktree]
  return {
    store,
    filter: folder === ROOT ? {} : { paths: [folder] },
    closing,
    absolute: (path) => `${slashed(worktree).replace(/\/$/, "")}/${path}`,
    inFolder(file) {
      const paths = roots.map((root) => pathBelow(root, resolve(worktree, file)))
      return paths.find((path) => path !== undefined && path !== ROOT && isInside(path, folder) && path !== folder)
    },
    async isFile(path) {
      const stat = await lstat(resolve(worktree, path)).catch(() => undefined)
      return stat !== undefined && !stat.isDirectory()
    },
  }
}

function folderOf(path: unknown, argument: string): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return resolve(path)
  throw new SnapshotError("INVALID_ARGUMENT", `${argument} is the path of a folder.`, { argument })
}

async function folderIn(worktree: string, directory: string): Promise<RepoPath> {
  const [realWorktree, realDirectory] = [await realFolder(worktree), await realFolder(directory)]
  const path = pathBelow(realWorktree, realDirectory)
  if (path !== undefined) return path
  throw new SnapshotError("INVALID_ARGUMENT", `${directory} is not in ${worktree}. Give a folder of the work tree.`, {
    argument: "directory",
  })
}

async function realFolder(path: string): Promise<string> {
  const missing = (why: string, cause?: unknown): SnapshotError =>
    new SnapshotError("WORKTREE_MISSING", `${path} ${why}. Give an existing folder.`, { path }, cause)
  const real = await realpath(path).catch((cause: unknown) => {
    throw missing("cannot be found", cause)
  })
  const stat = await lstat(real).catch((cause: unknown) => {
    throw missing("cannot be found", cause)
  })
  if (!stat.isDirectory()) throw missing("is no folder")
  return real
}

/** The path of `path` from `root`; undefined when it is not below it, or no path that a store takes. */
function pathBelow(root: string, path: string): RepoPath | undefined {
  const below = slashed(relative(root, path))
  if (below === "") return ROOT
  if (below === ".." || below.startsWith("../") || isAbsolute(below) || below.includes("\0")) return undefined
  return parsePath(below)
}

/** On POSIX a backslash is a character like any other. */
function slashed(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/")
}
