import { isAbsolute, resolve, sep } from "node:path"
import { openOn } from "./calls/open.js"
import type { Environment } from "./core/environment.js"
import { SnapshotError } from "./core/errors.js"
import type { Platform } from "./core/platform.js"
import type { CaptureBackend } from "./core/tree-capture.js"
import { contentThreads } from "./platform/node/content-threads.js"
import { JobThread } from "./platform/node/job-thread.js"
import { threadMaintainer } from "./platform/node/maintain-thread.js"
import { nodePlatform } from "./platform/node/node-platform.js"
import { statThreads } from "./platform/node/stat-threads.js"
import type { MaintainReport, OpenOptions, SnapshotStore, UserStore } from "./snapshot-store.js"

/** The threads' programs, as seen from this file or from the bundle that it is in. */
const threads = new URL("./platform/node/", import.meta.url)

/** The threads of this process, as all stores share its processors. None runs before a capture has much to read. */
const contentReader = contentThreads(new URL("content-worker.js", threads))

const statChecker = statThreads(new URL("stat-worker.js", threads))

/** Runs when there is much to tidy up. */
const maintainer = threadMaintainer<MaintainReport>(new URL("./maintain-program.js", import.meta.url))

/** Starts when there is much to compare or to restore. */
const jobThread = new JobThread(new URL("./job-program.js", import.meta.url))

/**
 * Opens the store of a work tree on Node, and makes it when it is not there.
 *
 * Errors: WORKTREE_MISSING, ROOT_REFUSED, GITDIR_INVALID, FORMAT_UNSUPPORTED, INVALID_ARGUMENT, IO_FAILED, NO_SPACE; with
 * `backend: "native"` also UNSUPPORTED where native git is missing.
 */
export async function openStore(options: OpenOptions): Promise<SnapshotStore> {
  if (typeof options?.worktree !== "string" || options.worktree === "")
    throw new SnapshotError("INVALID_ARGUMENT", "Give the folder to snapshot as worktree.", { argument: "worktree" })
  if (options.fs !== undefined && typeof options.fs?.promises?.lstat !== "function")
    throw new SnapshotError("INVALID_ARGUMENT", "fs has the shape of node:fs: an object with promises.", {
      argument: "fs",
    })
  const ports = { contentReader, statChecker, jobThread }
  const platform = await nodePlatform(options.fs === undefined ? ports : { ...ports, client: options.fs })
  const place = {
    platform,
    loadGit: () => import("./platform/node/git-library.js"),
    ...(options.fs === undefined && options.backend === "native" ? { native: await nativeBackend(platform) } : {}),
    // A thread has no way to a file system of the caller's own.
    ...(options.fs === undefined ? { maintainer } : {}),
    stores: () => storesFolder(platform.environment),
  }
  return openOn(place, {
    ...options,
    worktree: absolute(options.worktree),
    ...(typeof options.gitdir === "string" && options.gitdir !== "" ? { gitdir: absolute(options.gitdir) } : {}),
  })
}

/** The stores in the user's data folder, largest first. */
export async function listStores(): Promise<UserStore[]> {
  const { listUserStores } = await import("./calls/user-stores.js")
  const platform = await nodePlatform({ contentReader, statChecker, jobThread })
  return listUserStores(platform, await storesFolder(platform.environment))
}

/**
 * Removes stores whose work trees are gone, and what a removal that was killed has left. Gives those that stay, and why:
 * INVALID_ARGUMENT for one of another kind, LOCK_HELD, RESTORE_PENDING, IO_FAILED.
 */
export async function removeStores(stores: readonly UserStore[]): Promise<Map<UserStore, SnapshotError>> {
  const { finishRemovals, removeStore } = await import("./calls/remove-store.js")
  const platform = await nodePlatform({ contentReader, statChecker, jobThread })
  await finishRemovals(platform, await storesFolder(platform.environment))
  const failures = new Map<UserStore, SnapshotError>()
  for (const store of stores)
    await removeStore(platform, store.gitdir).catch((error: unknown) => {
      if (!(error instanceof SnapshotError)) throw error
      failures.set(store, error)
    })
  return failures
}

async function storesFolder(environment: Environment): Promise<string> {
  return `${absolute(await dataFolder(environment))}/stores`
}

/** Elsewhere than on Windows a backslash is a character like any other. */
function absolute(path: string): string {
  return sep === "\\" ? resolve(path).replaceAll("\\", "/") : resolve(path)
}

/** Loaded by those that ask for it. */
async function nativeBackend(platform: Platform): Promise<CaptureBackend> {
  return (await import("./sidecar/native-capture.js")).nativeBackend(platform)
}

/**
 * XDG_DATA_HOME counts wherever it is set; otherwise the system's own place for a user's data. A relative one is invalid
 * and does not count. Source: https://specifications.freedesktop.org/basedir-spec/latest/
 */
async function dataFolder({ variables, home }: Environment): Promise<string> {
  const { XDG_DATA_HOME } = variables
  if (XDG_DATA_HOME !== undefined && isAbsolute(XDG_DATA_HOME)) return `${XDG_DATA_HOME}/treeshot`
  const { default: envPaths } = await import("env-paths")
  const { data } = envPaths("treeshot", { suffix: "" })
  return isAbsolute(data) ? data : `${home ?? "/"}/.local/share/treeshot`
}
