import fs from "node:fs"
import { join } from "node:path"
import { init, writeBlob, writeTree, type TreeEntry } from "isomorphic-git"
import type { Contender } from "../contender.js"
import { listFiles } from "../list-files.js"

/** isomorphic-git without its index: `writeBlob` for every file, `writeTree` for every folder, the deepest first. */
export const contender: Contender = {
  async open({ worktree, gitdir }) {
    await init({ fs, dir: worktree, gitdir })
    return {
      async capture() {
        const tree = await storeAll(worktree, gitdir)
        return { id: tree, tree }
      },
      close: async () => undefined,
    }
  },
}

async function storeAll(worktree: string, gitdir: string): Promise<string> {
  const { files, folders } = await listFiles(worktree)
  const entries = new Map<string, TreeEntry[]>(folders.map((folder) => [folder, []]))
  for (let i = 0; i < files.length; i += CONCURRENCY)
    await Promise.all(
      files.slice(i, i + CONCURRENCY).map(async (path) => {
        const [blob, stat] = await Promise.all([
          fs.promises.readFile(join(worktree, path)),
          fs.promises.lstat(join(worktree, path)),
        ])
        const oid = await writeBlob({ fs, gitdir, blob })
        const mode = (stat.mode & 0o100) === 0 ? "100644" : "100755"
        entries.get(folderOf(path))?.push({ mode, path: nameOf(path), oid, type: "blob" })
      }),
    )
  for (const folder of folders.toReversed()) {
    const oid = await writeTree({ fs, gitdir, tree: entries.get(folder) ?? [] })
    if (folder === "") return oid
    entries.get(folderOf(folder))?.push({ mode: "040000", path: nameOf(folder), oid, type: "tree" })
  }
  throw new Error("the folders were listed without their root")
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1)
}

/** Files that are read, hashed and stored at a time; more do not make it faster. */
const CONCURRENCY = 16
