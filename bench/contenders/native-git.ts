import { spawnSync } from "node:child_process"
import { join } from "node:path"
import type { Contender } from "../contender.js"

/** Native git as a snapshot tool uses it: a gitdir and an index of its own beside the folder, `add -A`, `write-tree`. */
export const contender: Contender = {
  async run(tree, scratch) {
    const env = { ...process.env, GIT_DIR: join(scratch, "store"), GIT_WORK_TREE: tree }
    const cold = timed(() => {
      git(["init", "--quiet", "--template="], tree, env)
      return addAndWriteTree(tree, env)
    })
    const again = timed(() => addAndWriteTree(tree, env))
    if (again.value !== cold.value) throw new Error(`native git gave ${cold.value}, then ${again.value}`)
    return { tree: cold.value, coldMs: cold.ms, againMs: again.ms }
  },
}

function addAndWriteTree(tree: string, env: NodeJS.ProcessEnv): string {
  git(["add", "-A"], tree, env)
  return git(["write-tree"], tree, env)
}

function git(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): string {
  const done = spawnSync("git", ["-c", "core.autocrlf=false", "-c", "core.safecrlf=false", ...args], { cwd, env })
  if (done.error !== undefined) throw new Error(`native git could not be started: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`git ${args.join(" ")} gave ${done.status}: ${done.stderr.toString()}`)
  return done.stdout.toString().trim()
}

function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const start = performance.now()
  const value = work()
  return { value, ms: performance.now() - start }
}
