import { utf8 } from "../core/bytes.js"
import type { FileSystem } from "../core/file-system.js"
import { runGit, type GitRunOptions } from "./git.js"
import type { Variables } from "./git-environment.js"
import { requireSuccess } from "./require-success.js"

/** A gitdir of one capture's own: native git finds no index, no ref, no lock and no configuration of anybody else in it. */
export interface ScratchGitdir {
  /** Where its packs are. */
  readonly packs: string
  /** Runs native git on it; ends in GIT_FAILED unless git ends well, and in the signal's reason when that aborts it. */
  git(args: readonly string[], options?: Pick<GitRunOptions, "env" | "input">): Promise<Uint8Array>
  /** Removes it with all that is in it. Never throws: maintenance removes what stays. */
  remove(): Promise<void>
}

/** Variables for a git that reads nobody's configuration. */
export const NO_CONFIG: Variables = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" }

/**
 * Makes a gitdir of this path, which nobody else uses. `signal` ends every git that runs on it. When it fails, NO_SPACE
 * on a full disk, nothing is left.
 */
export async function scratchGitdir(
  fileSystem: FileSystem,
  gitdir: string,
  signal: AbortSignal | undefined,
): Promise<ScratchGitdir> {
  try {
    await fileSystem.makeFolder(gitdir, 0o700)
    for (const name of ["objects", "objects/pack", "refs"]) await fileSystem.makeFolder(`${gitdir}/${name}`)
    await writeNew(fileSystem, `${gitdir}/HEAD`, "ref: refs/heads/main\n")
    await writeNew(fileSystem, `${gitdir}/config`, CONFIG)
  } catch (error) {
    await removeAll(fileSystem, gitdir)
    throw error
  }
  const env = {
    GIT_DIR: gitdir,
    GIT_OBJECT_DIRECTORY: `${gitdir}/objects`,
    GIT_INDEX_FILE: `${gitdir}/index`,
    ...NO_CONFIG,
  }
  return {
    packs: `${gitdir}/objects/pack`,
    async git(args, options = {}) {
      const result = await runGit(args, {
        cwd: gitdir,
        requireFullInput: true,
        ...options,
        env: { ...env, ...options.env },
        ...(signal === undefined ? {} : { signal }),
      })
      return requireSuccess(result).stdout
    },
    remove: () => removeAll(fileSystem, gitdir),
  }
}

async function writeNew(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const file = await fileSystem.open(path, "create")
  try {
    await file.write(utf8(text), 0)
  } finally {
    await file.close()
  }
}

/** Removes a folder, or as much of it as can be removed. */
async function removeAll(fileSystem: FileSystem, folder: string): Promise<void> {
  const items = await fileSystem.list(folder).catch(() => undefined)
  for (const { name, kind } of items ?? []) {
    const path = `${folder}/${name}`
    if (kind === "folder") await removeAll(fileSystem, path)
    else await fileSystem.unlink(path).catch(() => {})
  }
  await fileSystem.removeFolder(folder).catch(() => {})
}

/**
 * Names are checked before they come here, on every system in the same way. Nothing is synced, as nothing stays: the
 * capture's pack is copied from here and synced there.
 * Source: https://git-scm.com/docs/git-config
 */
const CONFIG = `[core]
	repositoryformatversion = 0
	bare = true
	protectHFS = false
	protectNTFS = false
	bigFileThreshold = 1m
	fsync = none
[pack]
	compression = 1
	threads = 1
[fastimport]
	unpackLimit = 0
`
