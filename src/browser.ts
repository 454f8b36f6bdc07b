/* treeshot in browsers: nothing here reaches a module of Node. */
export { openStore } from "./open-store-browser.js"
export { SnapshotError, isSnapshotError } from "./core/errors.js"
export type { ErrorCode, ErrorDetails } from "./core/errors.js"
export type * from "./snapshot-store.js"
