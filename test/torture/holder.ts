/*
 * A process that takes a lock of a store, as maintenance or as a restore does, tells so, and keeps it until it is killed.
 */
import { writeSync } from "node:fs"
import { pathToFileURL } from "node:url"
import type { openStore as OpenStore } from "../../src/index.js"

/** What the process is to do. */
export interface HolderOrder {
  readonly entry: string
  readonly worktree: string
  readonly gitdir: string
  readonly workspace: string
  readonly call: "maintain" | "restore"
  readonly target: string
}

/** What is used of the package. */
interface Entry {
  readonly openStore: typeof OpenStore
}

const order = JSON.parse(process.argv[2] ?? "") as HolderOrder
const { openStore } = (await import(pathToFileURL(order.entry).href)) as Entry
const { worktree, gitdir, workspace, call, target } = order
const store = await openStore({ worktree, gitdir, workspace, retention: false })

/** Stops in the middle of the call, which holds the lock. */
function onProgress(): void {
  writeSync(1, `${JSON.stringify({ what: "held" })}\n`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

await (call === "maintain" ? store.maintain({ onProgress }) : store.restore(target, { onProgress }))
