import type { JSX } from "preact"
import { useEffect } from "preact/hooks"
import type { Snapshot } from "../../src/snapshot-store.js"
import { clockTime, count, fullTime, printable, shortId, size } from "../model/text.js"
import { Badges } from "./badges.js"
import { useSession } from "./session-context.js"

interface SnapshotRowProps {
  readonly snapshot: Snapshot
  /** The day that begins with it. */
  readonly day: string | undefined
  readonly top: number
  readonly position: number
  readonly size: number
  readonly selected: boolean
  readonly onPress: (event: MouseEvent) => void
}

export function SnapshotRow(props: SnapshotRowProps): JSX.Element {
  const { snapshot, day, top, selected, onPress } = props
  const { id, label, createdAt } = snapshot
  return (
    <div
      id={`snapshot-${id}`}
      class="snapshot-row"
      role="option"
      aria-selected={selected}
      aria-setsize={props.size}
      aria-posinset={props.position}
      style={{ top: `${top}px` }}
      onClick={onPress}
    >
      {day !== undefined && <span class="day">{day}</span>}
      <span class="row">
        <span class="row-main">
          <span class={label === undefined ? "row-title unnamed" : "row-title"}>
            {label === undefined ? `Snapshot ${shortId(id)}` : printable(label)}
          </span>
          <span class="row-facts">
            <Summary id={id} />
            <Badges snapshot={snapshot} />
          </span>
        </span>
        <time class="row-time" dateTime={createdAt.toISOString()} title={fullTime(createdAt)}>
          {clockTime(createdAt)}
        </time>
      </span>
    </div>
  )
}

function Summary({ id }: { readonly id: string }): JSX.Element {
  const { summaries, connectionState } = useSession()
  const summary = summaries.of(id).value
  const isConnected = connectionState.value === "connected"
  useEffect(() => (isConnected ? summaries.want(id) : undefined), [id, isConnected])
  if (summary === undefined) return <span class="placeholder" aria-hidden="true" />
  if (summary === null) return <span>cannot be told</span>
  const { filesChanged, bytesChanged } = summary
  if (filesChanged === 0) return <span>no file changed</span>
  return (
    <span>
      {count(filesChanged, "file")} · {size(bytesChanged)}
    </span>
  )
}
