import { pathToFileURL } from "node:url"
import type { openStore as OpenStore, OpenOptions, SnapshotStore } from "treeshot"
import type { Captured, Contender, Session } from "../contender.js"

/** This library as built, or the build in the folder that TREESHOT_DIST names. */
const dist = process.env["TREESHOT_DIST"]
const entry = dist === undefined ? "treeshot" : pathToFileURL(`${dist}/index.js`).href
const { openStore } = (await import(entry)) as { readonly openStore: typeof OpenStore }

/** This library with options of its own; all else is the default, but for the size limit, which would leave files out. */
export function treeshot(options: Pick<OpenOptions, "durability" | "backend">): Contender {
  return {
    async open({ worktree, gitdir }) {
      const newFileLimitBytes = Number.MAX_SAFE_INTEGER
      return sessionOf(await openStore({ worktree, gitdir, newFileLimitBytes, ...options }))
    },
  }
}

function sessionOf(store: SnapshotStore): Session {
  return {
    async capture(): Promise<Captured> {
      const { snapshot, skipped } = await store.capture()
      if (skipped.length > 0) throw new Error(`treeshot skipped ${skipped.length} paths, such as ${skipped[0]?.path}`)
      return { id: snapshot.id, tree: snapshot.tree }
    },
    async diff(from, to) {
      const files = await store.diff(from.id, to.id)
      return () => ({
        files: files.filter(({ patch }) => patch !== "").length,
        additions: files.reduce((sum, { additions }) => sum + additions, 0),
        deletions: files.reduce((sum, { deletions }) => sum + deletions, 0),
      })
    },
    async restore(to) {
      const { complete, outcomes } = await store.restore(to.id)
      if (!complete) throw new Error(`treeshot restored ${outcomes.length} files, but not all`)
    },
    async tidy() {
      await store.maintain()
    },
    close: () => store.close(),
  }
}

/** The default: what was returned survives a power cut. */
export const contender: Contender = treeshot({ durability: "power" })
