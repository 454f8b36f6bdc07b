import { isAbsolute, resolve, sep } from "node:path"
import envPaths from "env-paths"
import { openOn } from "./calls/open.js"
import { SnapshotError } from "./core/errors.js"
import { contentThreads } from "./platform/node/content-threads.js"
import { JobThread } from "./platform/node/job-thread.js"
import { nodePlatform } from "./platform/node/node-platform.js"
import { nativeBackend } from "./sidecar/native-capture.js"
import type { OpenOptions, SnapshotStore } from "./snapshot-store.js"

/** The threads of this process, as all stores share its processors. None runs before a capture has much to read. */
const contentReader = contentThreads(new URL("./platform/node/content-worker.js", import.meta.url))

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
  const platform = await nodePlatform(
    options.fs === undefined ? { contentReader, jobThread } : { client: options.fs, contentReader, jobThread },
  )
  // Elsewhere a backslash is a character like any other.
  const absolute = (path: string): string => (sep === "\\" ? resolve(path).replaceAll("\\", "/") : resolve(path))
  const { XDG_DATA_HOME } = platform.environment.variables
  const place = {
    platform,
    loadGit: () => import("isomorphic-git"),
    ...(options.fs === undefined ? { native: nativeBackend(platform) } : {}),
    stores: `${absolute(dataFolder(XDG_DATA_HOME, platform.environment.home))}/stores`,
  }
  return openOn(place, {
    ...options,
    worktree: absolute(options.worktree),
    ...(typeof options.gitdir === "string" && options.gitdir !== "" ? { gitdir: absolute(options.gitdir) } : {}),
  })
}

/**
 * XDG_DATA_HOME counts wherever it is set; otherwise the system's own place for a user's data. A relative one is invalid
 * and does not count. Source: https://specifications.freedesktop.org/basedir-spec/latest/
 */
function dataFolder(xdgDataHome: string | undefined, home: string | undefined): string {
  if (xdgDataHome !== undefined && isAbsolute(xdgDataHome)) return `${xdgDataHome}/treeshot`
  const { data } = envPaths("treeshot", { suffix: "" })
  return isAbsolute(data) ? data : `${home ?? "/"}/.local/share/treeshot`
}
