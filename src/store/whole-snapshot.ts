import type { FileSystem } from "../core/file-system.js"
import type { Oid } from "../core/oid.js"

/** Which snapshot this process has seen whole in the store, so that its objects need not be looked for each time. */
export interface WholeSnapshot {
  /** Notes that all objects of a snapshot are there. Never fails. */
  note(id: Oid): Promise<void>
  /** Whether that was noted last, no pack that was there then is gone, and no damage was met since. */
  isStill(id: Oid): Promise<boolean>
}

/** Nothing is noted at first. `damaged` tells how many copies of objects were found to be damaged. */
export function wholeSnapshot(fileSystem: FileSystem, packs: string, damaged: () => number): WholeSnapshot {
  let last: { readonly id: Oid; readonly packs: readonly string[]; readonly damaged: number } | undefined

  async function packNames(): Promise<string[]> {
    return ((await fileSystem.list(packs)) ?? []).map(({ name }) => name).filter((name) => name.endsWith(".pack"))
  }

  return {
    async note(id) {
      last = undefined
      try {
        last = { id, packs: await packNames(), damaged: damaged() }
      } catch {
        // It is looked at anew next time.
      }
    },
    async isStill(id) {
      if (last?.id !== id || last.damaged !== damaged()) return false
      const now = new Set(await packNames())
      return last.packs.every((name) => now.has(name))
    },
  }
}
