import { createGit } from "just-git"
import { readCommit, resolveRef } from "just-git/repo"
import type { Captured, Contender } from "../contender.js"
import { repositoryFiles } from "../just-git-files.js"

const ROOT = "/repository"

/** just-git on the files of the system: `add -A`, then `commit`. */
export const contender: Contender = {
  async open({ worktree, gitdir }) {
    const fs = repositoryFiles(ROOT, worktree, gitdir)
    const git = createGit({ fs, cwd: ROOT, identity: { name: "bench", email: "bench@example.com", locked: true } })
    await required("init")
    let last: Captured | undefined

    async function required(command: string): Promise<void> {
      const { exitCode, stderr } = await git.exec(`git ${command}`)
      if (exitCode !== 0) throw new Error(`just-git's ${command} gave ${exitCode}: ${stderr}`)
    }

    return {
      async capture() {
        await required("add -A")
        const { exitCode, stdout, stderr } = await git.exec('git commit -m "capture"')
        if (exitCode !== 0) {
          if (last !== undefined && stdout.includes("nothing to commit")) return last
          throw new Error(`just-git's commit gave ${exitCode}: ${stderr}${stdout}`)
        }
        const repository = await git.findRepo()
        const id = repository === null ? null : await resolveRef(repository, "HEAD")
        if (repository === null || id === null) throw new Error("just-git committed, and there is no commit")
        last = { id, tree: (await readCommit(repository, id)).tree }
        return last
      },
      close: async () => undefined,
    }
  },
}
