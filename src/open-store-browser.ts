import { openOn } from "./calls/open.js"
import { SnapshotError } from "./core/errors.js"
import type { GitLibrary } from "./core/git-library.js"
import { webPlatform } from "./platform/web/web-platform.js"
import type { OpenOptions, SnapshotStore } from "./snapshot-store.js"

/**
 * Opens the store of a work tree in a browser, on the file system in `fs`; worktree and gitdir are absolute paths in it.
 * The default gitdir is under /treeshot/stores there. Errors as in Node.
 */
export async function openStore(options: OpenOptions): Promise<SnapshotStore> {
  if (typeof options?.fs?.promises?.lstat !== "function")
    throw new SnapshotError("INVALID_ARGUMENT", "In a browser, give a file system such as memfs as fs.", {
      argument: "fs",
    })
  for (const argument of ["worktree", "gitdir"] as const)
    if (options[argument] !== undefined && !String(options[argument]).startsWith("/"))
      throw new SnapshotError("INVALID_ARGUMENT", `Give ${argument} as an absolute path.`, { argument })
  return openOn({ platform: webPlatform(options.fs), loadGit, stores: async () => "/treeshot/stores" }, options)
}

/** isomorphic-git counts on Node's Buffer: it gets one where there is none. */
async function loadGit(): Promise<GitLibrary> {
  const place = globalThis as { Buffer?: unknown }
  if (place.Buffer === undefined) place.Buffer = (await import("buffer/")).Buffer
  return import("isomorphic-git")
}
