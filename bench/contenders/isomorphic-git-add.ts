import fs from "node:fs"
import { add, commit, init, readCommit, setConfig, statusMatrix } from "isomorphic-git"
import type { Captured, Contender } from "../contender.js"

const AUTHOR = { name: "bench", email: "bench@example.com" }

/** isomorphic-git as its own documentation has it: `add` and `commit`, then `statusMatrix`, and `add` of what it names. */
export const contender: Contender = {
  async open({ worktree: dir, gitdir }) {
    // Its index and what it has read of packs are kept between calls here.
    const cache = {}
    const at = { fs, dir, gitdir, cache }
    let last: Captured | undefined

    async function commitAdded(): Promise<Captured> {
      const oid = await commit({ ...at, message: "capture", author: AUTHOR })
      return { id: oid, tree: (await readCommit({ ...at, oid })).commit.tree }
    }

    await init({ fs, dir, gitdir })
    await setConfig({ fs, gitdir, path: "core.autocrlf", value: false })
    // Its `init` says false, and it then takes every file for one that cannot be run.
    await setConfig({ fs, gitdir, path: "core.filemode", value: true })
    return {
      async capture() {
        if (last === undefined) await add({ ...at, filepath: ".", parallel: true })
        else {
          const rows = await statusMatrix(at)
          const changed = rows.filter(([, , inWorktree, inIndex]) => inWorktree !== inIndex).map(([path]) => path)
          if (changed.length === 0) return last
          await add({ ...at, filepath: changed, parallel: true })
        }
        last = await commitAdded()
        return last
      },
      close: async () => undefined,
    }
  },
}
