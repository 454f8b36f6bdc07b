import { join } from "node:path"
import { openStore, type OpenOptions } from "treeshot"
import { peakRssBytes, type Contender } from "../contender.js"

/** This library, as built: a store is opened, one capture is made, the store is closed. */
export function treeshot(durability: "power" | "process", backend: "pure" | "native" = "pure"): Contender {
  return {
    async run(tree, scratch) {
      const options: OpenOptions = {
        worktree: tree,
        gitdir: join(scratch, "store"),
        durability,
        backend,
        newFileLimitBytes: Number.MAX_SAFE_INTEGER,
      }
      const cold = await captureOnce(options)
      const rss = peakRssBytes()
      const again = await captureOnce(options)
      if (again.tree !== cold.tree) throw new Error(`treeshot gave ${cold.tree}, then ${again.tree}`)
      return { tree: cold.tree, coldMs: cold.ms, againMs: again.ms, peakRssBytes: rss }
    },
  }
}

async function captureOnce(options: OpenOptions): Promise<{ readonly tree: string; readonly ms: number }> {
  const start = performance.now()
  const store = await openStore(options)
  const { snapshot, skipped } = await store.capture()
  await store.close()
  const ms = performance.now() - start
  if (skipped.length > 0) throw new Error(`treeshot skipped ${skipped.length} paths, such as ${skipped[0]?.path}`)
  return { tree: snapshot.tree, ms }
}
