import type { KeepReason } from "../snapshot-store.js"

/** Why a path is kept, for people. */
export const KEEP_REASONS: Readonly<Record<KeepReason, string>> = {
  ignored: "a rule ignores it now",
  "was-ignored": "it was ignored, or not included, then",
  "was-skipped": "a snapshot left it out",
  unreadable: "it cannot be read",
  "special-file": "a fifo, socket or device",
  added: "added since",
  conflict: "changed meanwhile, or in the way",
}
