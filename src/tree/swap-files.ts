/*
 * Puts many new files in the place of old ones, some at a time. Whatever does not go through at once is looked at again,
 * file by file: where it stopped is seen from what stands under the three names that it may have.
 */
import type { FileVersion } from "../core/change.js"
import type { FileBatches, FileSwap, Swapped } from "../core/file-batches.js"
import { nameOf, parentOf, type RepoPath } from "../core/path.js"
import type { PlannedChange } from "../core/restore.js"
import { drain } from "../core/settle-all.js"
import type { Aside } from "./aside.js"
import type { Folders } from "./folders.js"
import { holdingFolders, type HoldFolder } from "./held-set.js"
import type { RestoreNames } from "./restore-name.js"
import type { Staged } from "./stage.js"

/** What swaps are made with. */
export interface SwapRequest {
  readonly batches: FileBatches
  readonly folders: Folders
  readonly names: RestoreNames
  readonly signal?: AbortSignal | undefined
  /** Told of each swap that was tried, also of those that may be half done. */
  readonly onSwapped: (swap: TriedSwap) => void
}

/** A swap that was tried. */
export interface TriedSwap {
  readonly change: PlannedChange
  /** What was moved out of the way, or was to be. */
  readonly aside: Aside | undefined
  readonly swapped: Swapped
}

/** Tries the changes whose new file stands beside its place. Throws when aborted, once nothing is under way. */
export async function swapFiles(
  request: SwapRequest,
  changes: readonly PlannedChange[],
  staged: ReadonlyMap<string, Staged>,
): Promise<void> {
  const slices: PlannedChange[][] = []
  const fitting = changes.filter((change) => fits(change, staged))
  for (let at = 0; at < fitting.length; at += SLICE) slices.push(fitting.slice(at, at + SLICE))

  async function swapSlice(slice: readonly PlannedChange[], hold: HoldFolder): Promise<void> {
    const tried: { readonly change: PlannedChange; readonly aside: Aside | undefined; readonly swap: FileSwap }[] = []
    for (const change of slice) {
      const path = change.path as RepoPath
      // One that cannot be opened is met again when its files come one by one.
      const handle = await hold(parentOf(path)).catch(() => undefined)
      const temporary = staged.get(path)
      if (handle === undefined || temporary === undefined) continue
      const { before } = change
      const aside = before && { path, folder: parentOf(path), name: request.names.aside(path) }
      const moved = before && { oid: before.oid, executable: before.mode === "100755" }
      const swap: FileSwap = {
        address: handle.at(nameOf(path)),
        staged: handle.at(temporary.name),
        ...(aside && moved && { aside: { ...moved, address: handle.at(aside.name) } }),
      }
      tried.push({ change, aside, swap })
    }
    const swapped = await request.batches.swap(tried.map(({ swap }) => swap))
    for (const [i, { change, aside }] of tried.entries())
      request.onSwapped({ change, aside, swapped: swapped[i] ?? "unsettled" })
  }

  await drain(slices.reverse(), SLICES_AT_ONCE, async (slice) => {
    request.signal?.throwIfAborted()
    await holdingFolders(request.folders, (hold) => swapSlice(slice, hold))
  })
}

/** Files of a slice are away from their place for a moment; one is enough for a thread to have something to do. */
const SLICE = 16
/** Two for a thread, one for whoever else does some. */
const SLICES_AT_ONCE = 3

/** A plain file where a plain file or nothing was, whose new content stands in the same folder. */
function fits({ path, before, after }: PlannedChange, staged: ReadonlyMap<string, Staged>): boolean {
  return (
    isFile(after) && (before === undefined || isFile(before)) && staged.get(path)?.folder === parentOf(path as RepoPath)
  )
}

function isFile(version: FileVersion | undefined): boolean {
  return version?.mode === "100644" || version?.mode === "100755"
}
