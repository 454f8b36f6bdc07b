/*
 * The stores in the user's data folder, one for each work tree that was opened without naming a gitdir.
 */
import { SnapshotError } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"
import type { Platform } from "../core/platform.js"
import { refTimeMs, SNAPSHOTS, workspaceOf } from "../core/ref-name.js"
import type { UserStore } from "../snapshot-store.js"
import { isForeign } from "../store/foreign.js"
import { layoutOf } from "../store/gitdir.js"
import { readOwnFiles } from "../store/own-files.js"
import { refStore } from "../store/refs.js"
import { ownBytes } from "../store/stored-bytes.js"
import { readWorktreePaths } from "../store/worktree-paths.js"

/** The stores in `folder`, largest first. What of one cannot be read is not known of it, and bars none of the others. */
export async function listUserStores({ fileSystem }: Platform, folder: string): Promise<UserStore[]> {
  const stores: UserStore[] = []
  for (const { name, kind } of (await fileSystem.list(folder)) ?? [])
    if (kind === "folder" && !name.startsWith(".")) stores.push(await describeStore(fileSystem, `${folder}/${name}`))
  return stores.toSorted((a, b) => b.bytes - a.bytes)
}

/** What there is to tell of the store at `gitdir`. */
export async function describeStore(fileSystem: FileSystem, gitdir: string): Promise<UserStore> {
  const layout = layoutOf(gitdir)
  const names = await unlessRefused(refStore(fileSystem, gitdir, layout.temporary).names(SNAPSHOTS))
  const times = (names ?? []).flatMap((name) => refTimeMs(name) ?? [])
  const workspaces = new Set((names ?? []).map(workspaceOf))
  const isOurs = (await unlessRefused(isForeign(fileSystem, layout))) === false
  const noted = isOurs && names !== undefined ? await unlessRefused(readWorktreePaths(fileSystem, layout)) : undefined
  const worktrees: UserStore["worktrees"][number][] = []
  for (const [workspace, paths] of noted ?? [])
    for (const path of paths) worktrees.push({ workspace, path, exists: await isThere(fileSystem, path) })
  // A workspace of which nothing is noted may belong to any work tree.
  const isKnown = worktrees.length > 0 && [...workspaces].every((name) => noted?.has(name ?? "") === true)
  const isGone = worktrees.every(({ exists }) => !exists)
  const files = await readOwnFiles(fileSystem, layout)
  return {
    gitdir,
    worktree: isKnown ? (isGone ? "gone" : "there") : "unknown",
    worktrees,
    snapshots: names?.length ?? 0,
    bytes: ownBytes(files) + files.asideBytes,
    ...(times.length === 0 ? {} : { newest: new Date(Math.max(...times)) }),
  }
}

/** What the system does not let be looked at counts as there. */
async function isThere(fileSystem: FileSystem, path: string): Promise<boolean> {
  return (await fileSystem.lstat(path).catch(() => "refused")) !== undefined
}

async function unlessRefused<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof SnapshotError) return undefined
    throw error
  }
}
