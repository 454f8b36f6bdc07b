import type { JSX } from "preact"
import type { Snapshot } from "../../src/snapshot-store.js"
import { Icon } from "./icon.js"

/** What is special about a snapshot. */
export function Badges({ snapshot }: { readonly snapshot: Snapshot }): JSX.Element {
  const { pinned, complete, kind } = snapshot
  return (
    <>
      {pinned && (
        <span class="badge pinned" title="Retention never lets it go">
          <Icon name="pin" />
          pinned
        </span>
      )}
      {!complete && (
        <span class="badge incomplete" title="Some paths could not be read, or are too large">
          <Icon name="incomplete" />
          incomplete
        </span>
      )}
      {kind === "safety" && (
        <span class="badge safety" title="Taken before a restore, for its undo">
          <Icon name="safety" />
          safety
        </span>
      )}
    </>
  )
}
