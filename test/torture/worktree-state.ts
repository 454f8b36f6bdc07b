import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { nodeDisk } from "../support/disk.js"
import { folderContent } from "../support/folder-content.js"

/** Makes the work tree a random one: some folders, files of which a few stay as they are, links, bits, an empty folder. */
export function writeState(worktree: string, random: (limit: number) => number): void {
  for (const name of readdirSync(worktree)) if (random(3) > 0) rmSync(join(worktree, name), { recursive: true })
  for (let folders = 1 + random(5); folders > 0; folders--) {
    const folder = join(worktree, `dir${random(8)}`)
    if (random(12) === 0) {
      // What was a folder becomes a file.
      rmSync(folder, { recursive: true, force: true })
      writeFileSync(folder, `file ${random(1000)}`)
      continue
    }
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(join(folder, "empty"), { recursive: true })
    for (let files = random(14); files > 0; files--) {
      const path = join(folder, `file${files}.txt`)
      writeFileSync(path, `${random(1_000_000)}\n`.repeat(1 + random(400)))
      if (random(6) === 0) chmodSync(path, [0o755, 0o600][random(2)] ?? 0o644)
    }
    if (random(3) === 0) symlinkSync(`file${random(9)}.txt`, join(folder, "link"))
  }
  writeFileSync(join(worktree, "always.txt"), `${random(1_000_000)}`)
}

/** What tells one state of a work tree from another: kinds, permissions, bytes, links. */
export function digestOf(worktree: string): string {
  return createHash("sha1")
    .update(JSON.stringify(folderContent(nodeDisk, worktree)))
    .digest("hex")
}
