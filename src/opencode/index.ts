/*
 * The snapshots of OpenCode on a store of this library. Imports open-store, the contract and core.
 */
export { createSnapshot } from "./create-snapshot.js"
export type { CreateSnapshotOptions, SnapshotCall, SnapshotCalls } from "./create-snapshot.js"
export type { FileDiff } from "./diff-full.js"
export type { Patch } from "./patch.js"
