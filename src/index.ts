/* treeshot on Node. */
export { openStore } from "./open-store.js"
export { SnapshotError, isSnapshotError } from "./core/errors.js"
export type { ErrorCode, ErrorDetails } from "./core/errors.js"
export type * from "./snapshot-store.js"
