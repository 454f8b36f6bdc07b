import { createHash } from "node:crypto"
import type { Disk } from "./disk.js"
import { itemsOf, type RandomFolder } from "./random-folder.js"
import type { ByteText } from "./random-names.js"

/** What a folder holds, for `toEqual`: a line for each path, such as `file 644 "text"`. */
export type FolderContent = Readonly<Record<ByteText, string>>

/**
 * Everything below `root`, folders included, sorted by path: the kind, the permissions, the bytes (long ones as their
 * SHA-256). Whatever is called `.git` is left out with all that is in it. Nothing is followed, and no fifo is opened.
 */
export function folderContent(disk: Disk, root: ByteText): FolderContent {
  return sorted(readBelow(disk, root, ""))
}

/** What folderContent gives for the described folder once it is written. */
export function describedContent(disk: Disk, folder: RandomFolder): FolderContent {
  const lines: [ByteText, string][] = []
  for (const [path, item] of itemsOf(folder)) {
    if (`/${path}/`.includes("/.git/")) continue
    if (item.kind === "file") lines.push([path, fileLine(item.permissions, item.bytes)])
    else if (item.kind === "link") lines.push([path, linkLine(item.text)])
    else if (item.kind === "folder") lines.push([path, folderLine(item.permissions)])
    else if (disk.special(item.type) !== undefined) lines.push([path, item.type])
  }
  return sorted(lines)
}

function readBelow(disk: Disk, root: ByteText, prefix: ByteText): [ByteText, string][] {
  return disk.names(`${root}/${prefix}`).flatMap((name): [ByteText, string][] => {
    if (name === ".git") return []
    const path = `${prefix}${name}`
    const full = `${root}/${path}`
    const stat = disk.fs.lstatSync(disk.path(full))
    const permissions = stat.mode & 0o7777
    if (stat.isSymbolicLink()) return [[path, linkLine(disk.linkText(full))]]
    if (stat.isDirectory()) return [[path, folderLine(permissions)], ...readBelow(disk, root, `${path}/`)]
    if (stat.isFile()) return [[path, fileLine(permissions, disk.fs.readFileSync(disk.path(full)))]]
    return [[path, stat.isFIFO() ? "fifo" : stat.isSocket() ? "socket" : "special"]]
  })
}

function fileLine(permissions: number, bytes: Uint8Array): string {
  const shown =
    bytes.length > 200
      ? `${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}`
      : JSON.stringify(Buffer.from(bytes).toString("latin1"))
  return `file ${permissions.toString(8)} ${shown}`
}

function linkLine(text: ByteText): string {
  return `link ${JSON.stringify(text)}`
}

function folderLine(permissions: number): string {
  return `folder ${permissions.toString(8)}`
}

/** Without a prototype: a file may be called `__proto__`. */
function sorted(lines: readonly [ByteText, string][]): FolderContent {
  const content: Record<ByteText, string> = Object.create(null) as Record<ByteText, string>
  for (const [path, line] of lines.toSorted(([a], [b]) => (a < b ? -1 : 1))) content[path] = line
  return content
}
