import type { JSX } from "preact"
import { count } from "../model/text.js"
import { useSession } from "./session-context.js"

interface NowRowProps {
  readonly selected: boolean
  readonly size: number
  readonly onPress: (event: MouseEvent) => void
}

/** The folder as it is now, above all snapshots. */
export function NowRow({ selected, size, onPress }: NowRowProps): JSX.Element {
  const { live, timeline } = useSession()
  const changes = live.changes.value
  const isFirst = timeline.newestCapture.value === undefined
  const changed = changes.state === "ready" ? changes.value.length : 0
  const words = (): string => {
    if (isFirst) return "Not captured yet"
    if (changes.state === "loading") return "Looking …"
    if (changes.state === "failed") return changes.problem.message
    return changed === 0 ? "As in the newest snapshot" : `${count(changed, "file")} changed since the newest snapshot`
  }
  return (
    <div
      id="now"
      class="row now"
      role="option"
      aria-selected={selected}
      aria-setsize={size}
      aria-posinset={1}
      onClick={onPress}
    >
      <span class={changed > 0 ? "now-dot changed" : "now-dot"} aria-hidden="true" />
      <span class="row-main">
        <span class="row-title">The folder now</span>
        <span class="row-facts">{words()}</span>
      </span>
    </div>
  )
}
