/*
 * What the page talks to: a store, or something in its shape, and whether it can be reached.
 */
import type { SnapshotStore } from "../src/snapshot-store.js"

/** The calls of a store that the page makes: a store itself in the demo, httpClient() where a server holds it. */
export type StoreClient = Pick<
  SnapshotStore,
  | "worktree"
  | "capture"
  | "list"
  | "changes"
  | "diff"
  | "readFile"
  | "plan"
  | "apply"
  | "restore"
  | "revert"
  | "undo"
  | "redo"
  | "pin"
  | "forget"
  | "prune"
  | "verify"
  | "status"
  | "summary"
  | "on"
  | "close"
>

/** `connecting`: for the first time; `lost`: it was there, and is looked for again. */
export type ConnectionState = "connecting" | "connected" | "lost"

/** Whether the store can be reached. */
export interface Connection {
  readonly state: ConnectionState
  /** Calls `listener` on each new state until the function that it returns is called. */
  on(listener: (state: ConnectionState) => void): () => void
  /** Looks for it now, and does not wait for the next try. */
  retry(): void
}

/** The connection to a store in the page itself. */
export const inPage: Connection = { state: "connected", on: () => () => {}, retry: () => {} }
