import { existsSync } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { runGit } from "../run-git.js"
import { copyTree } from "./copy-tree.js"
import type { BenchTree } from "./make-tree.js"

const PERSON = { name: "bench", email: "bench@example.com" }

/** A copy of the tree beside it, with a clean repository of its own in which all is committed and packed; made once. */
export async function makeRepository(tree: BenchTree, say: (line: string) => void): Promise<string> {
  const folder = `${tree.folder}-repository`
  if (existsSync(folder)) return folder
  say(`making a repository of the ${tree.name} tree`)
  const unfinished = `${folder}-unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await copyTree(tree.folder, unfinished)
  const at = { cwd: unfinished, env: { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: join(unfinished, "nowhere") } }
  await runGit(["init", "--quiet", "--template="], at)
  // A gc that `commit` starts by itself would go on beside ours.
  for (const setting of [`user.name=${PERSON.name}`, `user.email=${PERSON.email}`, "core.autocrlf=false", "gc.auto=0"])
    await runGit(["config", ...setting.split("=")], at)
  await runGit(["add", "--all"], at)
  await runGit(["commit", "--quiet", "--message", "All files"], at)
  await runGit(["gc", "--quiet"], at)
  await rename(unfinished, folder)
  // Renaming does not touch the files: the index still tells their times.
  await runGit(["status", "--short"], { ...at, cwd: folder })
  return folder
}
