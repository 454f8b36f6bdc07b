import { openStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { git, gitIsThere } from "../support/git.js"
import { brokenRefs } from "../support/store-on.js"

/** Where a store and a work tree are. */
export interface StorePlace {
  readonly worktree: string
  readonly gitdir: string
  readonly workspace: string
}

/** What is wrong with a store on disk: every object of every ref is read and hashed. */
export async function problemsOf(gitdir: string): Promise<string[]> {
  const platform = await nodePlatform()
  return brokenRefs(platform, platform.fileSystem, gitdir)
}

/** The same in the words of native git, where there is one, and of the store's own check. */
export async function thoroughProblemsOf(place: StorePlace): Promise<string[]> {
  const problems = await problemsOf(place.gitdir)
  if (gitIsThere()) {
    const { status, stderr, text } = git(["--git-dir", place.gitdir, "fsck", "--full", "--strict", "--no-dangling"], {
      anyStatus: true,
    })
    if (status !== 0) problems.push(`git fsck: ${text}${stderr}`)
  }
  const store = await openStore({ ...place, retention: false })
  const report = await store.verify()
  if (!report.ok) problems.push(`verify: ${JSON.stringify(report.problems)}`)
  await store.close()
  return problems
}
