import type { BigIntStats } from "node:fs"
import type { FileStat } from "../../core/file-system.js"
import { kindOfMode } from "../file-mode.js"

/** What node:fs tells of a file, in the port's terms. */
export function fileStat(stats: BigIntStats): FileStat {
  const mode = Number(stats.mode)
  return {
    kind: kindOfMode(mode),
    permissions: mode & 0o7777,
    sizeBytes: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    device: stats.dev,
    inode: stats.ino,
    links: Number(stats.nlink),
  }
}
