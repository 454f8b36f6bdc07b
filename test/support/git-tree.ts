/*
 * What native git makes of a described folder, apart from what every snapshot leaves out: names called `.git`, unsafe
 * names and special files.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { nodeDisk, writeFolder } from "./disk.js"
import { git } from "./git.js"
import { itemsOf, type RandomFile, type RandomFolder, type RandomItem, type RandomLink } from "./random-folder.js"
import { isKnownUnsafe, type ByteText } from "./random-names.js"

/** The items that `keep` wants, with the name of each; a folder that it does not want goes with all that is in it. */
export function filterFolder(folder: RandomFolder, keep: (name: ByteText, item: RandomItem) => boolean): RandomFolder {
  const items = new Map<ByteText, RandomItem>()
  for (const [name, item] of folder.items)
    if (keep(name, item)) items.set(name, item.kind === "folder" ? filterFolder(item, keep) : item)
  return { ...folder, items }
}

/** What a snapshot can hold of a folder. */
export function capturable(folder: RandomFolder): RandomFolder {
  return filterFolder(folder, (name, item) => name !== ".git" && !isKnownUnsafe(name) && item.kind !== "special")
}

/** A native repository in `scratch` that gives tree oids. */
export interface GitTrees {
  /** The paths that native git would add, ignore files and all. */
  listed(folder: RandomFolder): ReadonlySet<ByteText>
  /** The oid of the tree that native git makes of these files and links. */
  treeOf(folder: RandomFolder, only?: ReadonlySet<ByteText>): string
}

/** Opens one in an empty folder. Git checks each name for all systems. */
export function gitTrees(scratch: string): GitTrees {
  const [gitdir, contents, twin] = [join(scratch, "git"), join(scratch, "contents"), join(scratch, "twin")]
  const index = join(gitdir, "index")
  git(["init", "--quiet", "--bare", gitdir])
  const configured = ["--git-dir", gitdir, "-c", "core.protectHFS=true", "-c", "core.protectNTFS=true"]
  const run = (args: readonly string[], input?: string | Uint8Array): string =>
    git([...configured, ...args], { cwd: scratch, ...(input === undefined ? {} : { input }) }).stdout.toString("latin1")

  const hash = (blobs: readonly Uint8Array[]): string[] => {
    rmSync(contents, { recursive: true, force: true })
    mkdirSync(contents)
    const names = blobs.map((_, i) => join(contents, `${i}`))
    for (const [i, bytes] of blobs.entries()) writeFileSync(names[i] ?? "", bytes)
    const oids = run(["hash-object", "-w", "--no-filters", "--stdin-paths"], names.map((name) => `${name}\n`).join(""))
    return oids.split("\n")
  }

  return {
    listed(folder) {
      rmSync(index, { force: true })
      rmSync(twin, { recursive: true, force: true })
      writeFolder(nodeDisk, Buffer.from(twin).toString("latin1"), folder)
      const args = ["-c", "core.bare=false", "--work-tree", twin, "ls-files", "-z", "--others", "--exclude-standard"]
      return new Set(
        run(args)
          .split("\0")
          .filter((path) => path !== ""),
      )
    },
    treeOf(folder, only) {
      const items = itemsOf(folder).filter(
        (entry): entry is [ByteText, RandomFile | RandomLink] =>
          (entry[1].kind === "file" || entry[1].kind === "link") && (only === undefined || only.has(entry[0])),
      )
      const oids = hash(items.map(([, item]) => (item.kind === "file" ? item.bytes : Buffer.from(item.text, "latin1"))))
      const lines = items.map(([path, item], i) => `${modeOf(item)} ${oids[i]}\t${path}\0`)
      rmSync(index, { force: true })
      run(["update-index", "-z", "--index-info"], Buffer.from(lines.join(""), "latin1"))
      return run(["write-tree"]).trim()
    },
  }
}

function modeOf(item: RandomFile | RandomLink): string {
  if (item.kind === "link") return "120000"
  return (item.permissions & 0o100) === 0 ? "100644" : "100755"
}
