import { resolve } from "node:path"
import envPaths from "env-paths"
import { openOn } from "./calls/open.js"
import { SnapshotError } from "./core/errors.js"
import { nodePlatform } from "./platform/node/node-platform.js"
import type { OpenOptions, SnapshotStore } from "./snapshot-store.js"

/**
 * Opens the store of a work tree on Node, and makes it when it is not there.
 *
 * Errors: WORKTREE_MISSING, ROOT_REFUSED, GITDIR_INVALID, FORMAT_UNSUPPORTED, INVALID_ARGUMENT, IO_FAILED, NO_SPACE.
 */
export async function openStore(options: OpenOptions): Promise<SnapshotStore> {
  if (typeof options?.worktree !== "string" || options.worktree === "")
    throw new SnapshotError("INVALID_ARGUMENT", "Give the folder to snapshot as worktree.", { argument: "worktree" })
  const platform = await nodePlatform(options.fs === undefined ? {} : { client: options.fs })
  const absolute = (path: string): string => resolve(path).replaceAll("\\", "/")
  const { XDG_DATA_HOME } = platform.environment.variables
  const place = {
    platform,
    loadGit: () => import("isomorphic-git"),
    stores: `${dataFolder(XDG_DATA_HOME)}/stores`.replaceAll("\\", "/"),
  }
  return openOn(place, {
    ...options,
    worktree: absolute(options.worktree),
    ...(typeof options.gitdir === "string" && options.gitdir !== "" ? { gitdir: absolute(options.gitdir) } : {}),
  })
}

/** XDG_DATA_HOME counts wherever it is set, as an absolute path; otherwise the system's own place for a user's data. */
function dataFolder(xdgDataHome: string | undefined): string {
  if (xdgDataHome !== undefined && xdgDataHome.startsWith("/")) return `${xdgDataHome}/treeshot`
  return envPaths("treeshot", { suffix: "" }).data
}
