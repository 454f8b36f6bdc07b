import { concat } from "../core/bytes.js"
import type { FileVersion } from "../core/change.js"
import type { Clock } from "../core/clock.js"
import { SnapshotError } from "../core/errors.js"
import { hashObject } from "../core/object.js"
import { escapePath, nameOf, parentOf, type RepoPath } from "../core/path.js"
import type { Folders } from "./folders.js"
import { piecesOf, readStable, withFile, type ReadPorts } from "./read-file.js"

/** A file or link as it is in the work tree. */
export interface WorktreeContent {
  readonly version: FileVersion
  readonly bytes: Uint8Array
}

/**
 * The file or link at `path`, as it is now; undefined when there is none. `modeBefore` counts where the system has no
 * executable bit. What cannot be read, or changes each time: IO_FAILED.
 */
export async function readWorktree(
  ports: ReadPorts & { readonly clock: Clock },
  folders: Folders,
  path: RepoPath,
  modeBefore: FileVersion["mode"] | undefined,
): Promise<WorktreeContent | undefined> {
  return folders.within(parentOf(path), async (folder) => {
    const address = folder.at(nameOf(path))
    const stat = await ports.fileSystem.lstat(address)
    if (stat?.kind === "link") {
      const text = await ports.fileSystem.readLink(address)
      if (text === undefined) return undefined
      return { version: { mode: "120000", oid: await hashObject(ports.hasher, "blob", text) }, bytes: text }
    }
    if (stat?.kind !== "file") return undefined
    const content = await withFile(ports, folder, nameOf(path), async (file) => {
      const stable = await readStable(ports, file, () => ports.clock.nowMs())
      if (typeof stable === "string" || stable.bytes !== undefined) return stable
      const pieces: Uint8Array[] = []
      for await (const piece of piecesOf(file, stable.stat.sizeBytes)) pieces.push(piece)
      const bytes = concat(pieces)
      if ((await hashObject(ports.hasher, "blob", bytes)) !== stable.oid) return "changed-while-reading"
      return { ...stable, bytes }
    })
    if (content === "absent") return undefined
    if (typeof content === "string") throw unreadable(path, content)
    const executable = ports.fileSystem.traits.executableBit
      ? (content.stat.permissions & 0o100) !== 0
      : modeBefore === "100755"
    return { version: { mode: executable ? "100755" : "100644", oid: content.oid }, bytes: content.bytes as Uint8Array }
  })
}

function unreadable(path: RepoPath, why: "unreadable" | "changed-while-reading"): SnapshotError {
  const errno = why === "unreadable" ? "EACCES" : "EBUSY"
  const reason = why === "unreadable" ? "the system refuses it" : "it changes all the time"
  return new SnapshotError(
    "IO_FAILED",
    `Could not read ${escapePath(path)}: ${reason}. Leave it out by paths or globs, or try again.`,
    { action: "read", path, errno },
  )
}
