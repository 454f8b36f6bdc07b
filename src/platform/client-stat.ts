import type { ClientStats } from "../core/file-system-client.js"
import type { FileStat } from "../core/file-system.js"
import { kindOfMode } from "./file-mode.js"

/** What a client tells of a file, in the port's terms; times are as exact as the client has them. */
export function clientStat(stats: ClientStats): FileStat {
  const mode = Number(stats.mode)
  return {
    kind: kindOfMode(mode),
    permissions: mode & 0o7777,
    sizeBytes: Number(stats.size),
    mtimeNs: stats.mtimeNs ?? nanoseconds(stats.mtimeMs),
    ctimeNs: stats.ctimeNs ?? nanoseconds(stats.ctimeMs),
    device: BigInt(stats.dev),
    inode: BigInt(stats.ino),
    links: Number(stats.nlink),
  }
}

function nanoseconds(ms: number | bigint): bigint {
  if (typeof ms === "bigint") return ms * 1_000_000n
  // A time in nanoseconds is beyond what a number holds exactly.
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.floor((ms - whole) * 1e6))
}
