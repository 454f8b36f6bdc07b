import { errnoOf } from "../core/errors.js"
import type { FileSystem } from "../core/file-system.js"

/**
 * `fileSystem`, where a rename or a removal that something else is in the way of is tried again: an editor, an indexer or
 * a virus scanner lets go of a file a moment later. All of them together wait no longer than two seconds, so that a whole
 * folder without permission does not hold up a restore.
 */
export function patientFiles(fileSystem: FileSystem): FileSystem {
  let leftMs = WAIT_AT_MOST_MS

  async function patiently<Value>(call: () => Promise<Value>): Promise<Value> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs *= 2) {
      try {
        return await call()
      } catch (error) {
        if (!IN_USE.has(errnoOf(error) ?? "") || waitMs > LAST_WAIT_MS || leftMs < waitMs) throw error
      }
      leftMs -= waitMs
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }

  return new Proxy(fileSystem, {
    get(target, name) {
      switch (name) {
        case "rename":
          return (from: string, to: string) => patiently(() => target.rename(from, to))
        case "unlink":
          return (path: string) => patiently(() => target.unlink(path))
        case "removeFolder":
          return (path: string) => patiently(() => target.removeFolder(path))
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

const FIRST_WAIT_MS = 5
const LAST_WAIT_MS = 160
const WAIT_AT_MOST_MS = 2000

/** What systems say of a file that something holds open, or may not be touched. */
const IN_USE: ReadonlySet<string> = new Set(["EBUSY", "EPERM", "EACCES"])
