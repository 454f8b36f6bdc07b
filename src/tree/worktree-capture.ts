import type { TreeCapture } from "../core/tree-capture.js"
import { glanceAt } from "./glance.js"
import type { PureCaptureOptions } from "./pure-capture.js"
import { tableContents } from "./tree-contents.js"

/** The TreeCapture port on the file system alone. */
export function worktreeCapture(options: PureCaptureOptions): TreeCapture {
  const { statCache } = options
  return {
    glance: () => glanceAt(options),
    async contents(tree) {
      const known = await statCache?.known()
      return known?.tree === tree ? tableContents(known.seen) : undefined
    },
    save: () => statCache?.save(),
    async close() {
      await statCache?.close()
    },
    async capture(request, sink) {
      // Where nothing changed, none of this is needed.
      const [{ worktreeFolders }, { captureIn }] = await Promise.all([
        import("./folders.js"),
        import("./pure-capture.js"),
      ])
      const folders = worktreeFolders(options.fileSystem, options.worktree)
      try {
        return await captureIn(options, folders, request, sink)
      } finally {
        await folders.close()
      }
    },
  }
}
