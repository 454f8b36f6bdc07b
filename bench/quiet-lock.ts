import { spawn } from "node:child_process"
import { once } from "node:events"

/** Does `work` while no other bench that was given the same file measures. Without a file: at once. */
export async function quietly<T>(lockFile: string | undefined, work: () => Promise<T>): Promise<T> {
  if (lockFile === undefined) return work()
  // flock(1) holds the lock until its command has read to the end of its input.
  const holder = spawn("flock", [lockFile, "sh", "-c", "echo held; cat >/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  const ended = once(holder, "exit")
  await once(holder.stdout, "data")
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}
