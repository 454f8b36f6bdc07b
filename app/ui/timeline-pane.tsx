import type { JSX } from "preact"
import { count } from "../model/text.js"
import { Button } from "./button.js"
import { useSession } from "./session-context.js"
import { Failed, Loading } from "./states.js"
import { TimelineList } from "./timeline-list.js"

/** The snapshots, and what is to be seen of them. */
export function TimelinePane(): JSX.Element {
  const { timeline, selection, asking } = useSession()
  const all = timeline.all.value
  return (
    <section class="timeline" aria-label="Timeline">
      <header class="pane-head">
        <h2>Timeline</h2>
        <button type="button" class="link" onClick={() => (asking.value = { kind: "store" })}>
          {all.state === "ready" ? count(timeline.shown.value.length, "snapshot") : "The store"}
        </button>
        <label class="tick">
          <input
            type="checkbox"
            checked={timeline.showsSafety.value}
            onChange={({ currentTarget }) => (timeline.showsSafety.value = currentTarget.checked)}
          />
          Safety
        </label>
      </header>
      {selection.pairing.value && (
        <p class="pairing" role="status">
          Choose the snapshot to compare with.
          <Button label="Cancel" onPress={() => selection.stopPairing()} />
        </p>
      )}
      {all.state === "loading" && <Loading what="Reading the timeline …" />}
      {all.state === "failed" && <Failed problem={all.problem} onRetry={() => void timeline.reload()} />}
      {all.state === "ready" && <TimelineList />}
    </section>
  )
}
