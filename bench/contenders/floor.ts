import { createHash } from "node:crypto"
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Contender } from "../contender.js"
import { listFiles } from "../list-files.js"

/** The raw system calls of the same work in one thread, and nothing else: it stores nothing and checks nothing. */
export const contender: Contender = {
  async open({ worktree, gitdir, edited }) {
    mkdirSync(gitdir, { recursive: true })
    const seen = new Map<string, number>()
    const originals = new Map<string, Uint8Array>()
    return {
      /** First: lists, reads and hashes every file. Later: looks at every file, and reads and hashes what changed. */
      async capture() {
        const isFirst = seen.size === 0
        for (const path of isFirst ? (await listFiles(worktree)).files : seen.keys()) {
          const { mtimeMs } = lstatSync(join(worktree, path))
          if (seen.get(path) === mtimeMs) continue
          seen.set(path, mtimeMs)
          const bytes = readFileSync(join(worktree, path))
          createHash("sha1").update(bytes).digest("hex")
        }
        if (isFirst) for (const path of edited) originals.set(path, readFileSync(join(worktree, path)))
        return { id: "" }
      },
      /** Reads as many bytes as both sides of the comparison have. */
      async diff() {
        for (const path of [...edited, ...edited]) readFileSync(join(worktree, path))
        return () => ({ files: 0, additions: 0, deletions: 0 })
      },
      /** Writes the first contents beside the files, and renames them into place. */
      async restore() {
        for (const [path, bytes] of originals) {
          writeFileSync(join(worktree, `${path}.new`), bytes)
          renameSync(join(worktree, `${path}.new`), join(worktree, path))
        }
      },
      close: async () => undefined,
    }
  },
}
