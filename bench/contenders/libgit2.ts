import { appendFile } from "node:fs/promises"
import { existsSync } from "node:fs"
import { join } from "node:path"
import type { Contender } from "../contender.js"
import { loadLibgit2 } from "../libgit2-package.js"

/** libgit2 through es-git: `addAll` on its index, then `writeTree`. */
export const contender: Contender = {
  async open({ worktree, gitdir }) {
    const { initRepository, openRepository } = loadLibgit2()
    if (!existsSync(gitdir)) {
      await initRepository(gitdir, { bare: true })
      // The last line of a name counts.
      await appendFile(join(gitdir, "config"), `[core]\n\tbare = false\n\tworktree = ${JSON.stringify(worktree)}\n`)
    }
    const repository = await openRepository(gitdir)
    return {
      async capture() {
        const index = repository.index()
        index.addAll(["*"])
        index.write()
        const tree = index.writeTree()
        return { id: tree, tree }
      },
      close: async () => undefined,
    }
  },
}
