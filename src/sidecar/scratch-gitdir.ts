import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { runGit, type GitRunOptions } from "./git.js"
import { requireSuccess } from "./require-success.js"

/** A gitdir of one capture's own: native git finds no index, no ref, no lock and no configuration of anybody else in it. */
export interface ScratchGitdir {
  /** Where its packs are. */
  readonly packs: string
  /** Runs native git on it; ends in GIT_FAILED unless git ends well, and in the signal's reason when that aborts it. */
  git(args: readonly string[], options?: Pick<GitRunOptions, "env" | "input">): Promise<Uint8Array>
  /** Removes it with all that is in it. */
  remove(): Promise<void>
}

/** Makes a gitdir in `folder`. `signal` ends every git that runs on it. */
export async function scratchGitdir(folder: string, signal: AbortSignal | undefined): Promise<ScratchGitdir> {
  const gitdir = await mkdtemp(join(folder, "native-"))
  for (const name of ["objects/pack", "refs"]) await mkdir(join(gitdir, name), { recursive: true })
  await writeFile(join(gitdir, "HEAD"), "ref: refs/heads/main\n")
  await writeFile(join(gitdir, "config"), CONFIG)
  const env = {
    GIT_DIR: gitdir,
    GIT_OBJECT_DIRECTORY: join(gitdir, "objects"),
    GIT_INDEX_FILE: join(gitdir, "index"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
  }
  return {
    packs: join(gitdir, "objects/pack"),
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
    remove: () => rm(gitdir, { recursive: true, force: true, maxRetries: 3 }),
  }
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
