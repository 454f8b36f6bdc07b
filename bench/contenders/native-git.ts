/*
 * Native git as OpenCode's snapshot service runs it, on its best settings: a gitdir and an index of its own beside the
 * work tree, names from `diff-files` and `ls-files` side by side, `add` of these, `write-tree`.
 */
import { existsSync } from "node:fs"
import { copyFile, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Captured, Compared, Contender, Place } from "../contender.js"
import { runGit, type GitPlace } from "../run-git.js"

const SETTINGS = [
  "core.autocrlf=false",
  "core.fsmonitor=false",
  "core.longpaths=true",
  "core.symlinks=true",
  "core.preloadIndex=true",
  "core.untrackedCache=true",
  "feature.manyFiles=true",
  "index.version=4",
  "index.threads=true",
  "gc.auto=0",
]

export const contender: Contender = nativeGit(addNamed)

/** Native git with a way to bring its index up to date. */
export function nativeGit(add: (git: GitPlace) => Promise<void>): Contender {
  return {
    async open(place) {
      const git: GitPlace = { cwd: place.worktree, env: { GIT_DIR: place.gitdir, GIT_WORK_TREE: place.worktree } }
      if (!existsSync(place.gitdir)) await make(place, git)
      return {
        async capture(): Promise<Captured> {
          await add(git)
          const tree = (await runGit(["write-tree"], git)).toString().trim()
          return { id: tree, tree }
        },
        /** `add` without names is the fast way to a first index, and only `status` fills the untracked cache. */
        async settle() {
          await addAll(git)
          await runGit(["status", "--short"], git)
        },
        async diff(from, to) {
          const patch = await runGit(["diff", "-U3", "--no-ext-diff", "--no-color", from.id, to.id], git)
          return () => counted(patch)
        },
        async restore(to) {
          await runGit(["checkout", to.id, "--", "."], git)
        },
        async tidy(states) {
          const refs = states.map(({ id }, i) => `update refs/states/${i} ${id}\n`)
          await runGit(["update-ref", "--stdin"], git, Buffer.from(refs.join("")))
          await runGit(["gc", "--quiet", "--prune=now"], git)
        },
        close: async () => undefined,
      }
    },
  }
}

/** Git finds what is new and what changed by itself. */
export async function addAll(git: GitPlace): Promise<void> {
  await runGit(["add", "--all"], git)
}

/** Adds what was found to have changed. Each file is compared with each name: the time grows with their product. */
async function addNamed(git: GitPlace): Promise<void> {
  const [changed, added] = await Promise.all([
    runGit(["diff-files", "--name-only", "-z", "--", "."], git),
    runGit(["ls-files", "--others", "--exclude-standard", "-z", "--", "."], git),
  ])
  const names = Buffer.concat([changed, added])
  if (names.length > 0) await runGit(["add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"], git, names)
}

/** A new store; one git writes all settings, since starting git costs more than writing them. */
async function make({ gitdir, seed }: Place, git: GitPlace): Promise<void> {
  await runGit(["init", "--quiet", "--template="], git)
  const lines = SETTINGS.map((setting) => setting.split(/[.=]/)).map(
    ([part, name, value]) => `[${part}]\n\t${name} = ${value}\n`,
  )
  await writeFile(join(gitdir, "config"), lines.join(""), { flag: "a" })
  if (seed === undefined) return
  await mkdir(join(gitdir, "objects", "info"), { recursive: true })
  await writeFile(join(gitdir, "objects", "info", "alternates"), `${join(seed, "objects")}\n`)
  await copyFile(join(seed, "index"), join(gitdir, "index"))
}

function counted(patch: Buffer): Compared {
  const lines = patch.toString("latin1").split("\n")
  const files = lines.filter((line) => line.startsWith("diff --git ")).length
  // A header's lines stand before the first hunk of a file; those of hunks begin with what happened to the line.
  let [additions, deletions, isHunk] = [0, 0, false]
  for (const line of lines) {
    if (line.startsWith("diff --git ")) isHunk = false
    else if (line.startsWith("@@ ")) isHunk = true
    else if (isHunk && line.startsWith("+")) additions++
    else if (isHunk && line.startsWith("-")) deletions++
  }
  return { files, additions, deletions }
}
