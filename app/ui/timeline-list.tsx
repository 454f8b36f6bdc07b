import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks"
import type { Snapshot } from "../../src/snapshot-store.js"
import type { Selected } from "../model/selection.js"
import { dayOf } from "../model/text.js"
import { focusDetail } from "./focus.js"
import { NowRow } from "./now-row.js"
import { useSession } from "./session-context.js"
import { SnapshotRow } from "./snapshot-row.js"
import { useNow } from "./use-now.js"
import { useVirtual } from "./use-virtual.js"

/** The folder now and the snapshots below it: one list box, of which what is in view is drawn. */
export function TimelineList(): JSX.Element {
  const { timeline, selection } = useSession()
  const snapshots = timeline.shown.value
  const now = useNow()
  const scroller = useRef<HTMLDivElement>(null)
  const days = useMemo(() => daysOf(snapshots, now), [snapshots, now.toDateString()])
  const startsDay = (at: number): boolean => days[at] !== days[at - 1]
  const virtual = useVirtual({
    scroller,
    count: snapshots.length,
    estimateSize: (at) => ROW_PX + (startsDay(at) ? DAY_PX : 0),
    getItemKey: (at) => snapshots[at]?.id ?? "",
    scrollMargin: NOW_PX,
    scrollPaddingStart: NOW_PX,
    overscan: 6,
  })
  // Days are part of the rows: where they begin is different with each new list.
  useLayoutEffect(() => virtual.measure(), [days])

  const marked = idsOf(selection.selected.value)
  const current = marked.at(-1)
  const at = current === undefined ? -1 : snapshots.findIndex(({ id }) => id === current)
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at)
    else if (current === undefined) scroller.current?.scrollTo(0, 0)
  }, [current])

  function chooseAt(index: number): void {
    const bounded = Math.min(snapshots.length - 1, Math.max(-1, index))
    selection.choose(bounded < 0 ? "now" : (snapshots[bounded]?.id ?? "now"))
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 1)
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page }[event.key]
    if (target !== undefined) chooseAt(target)
    else if (event.key === "Home") chooseAt(-1)
    else if (event.key === "End") chooseAt(snapshots.length - 1)
    else if (event.key === "Enter") {
      selection.showDetail()
      focusDetail()
    } else return
    event.preventDefault()
  }

  function onPress(id: string, { shiftKey, ctrlKey, metaKey }: MouseEvent): void {
    if (id !== "now" && (shiftKey || ctrlKey || metaKey)) selection.compareWith(id)
    else selection.choose(id)
    selection.showDetail()
  }

  return (
    <div
      ref={scroller}
      class="timeline-list"
      role="listbox"
      aria-label="Snapshots, newest first"
      aria-multiselectable="true"
      aria-activedescendant={current === undefined ? "now" : `snapshot-${current}`}
      tabIndex={0}
      data-focus="timeline"
      onKeyDown={onKeyDown}
    >
      <NowRow selected={current === undefined} size={snapshots.length + 1} onPress={(event) => onPress("now", event)} />
      <div class="virtual" role="presentation" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const snapshot = snapshots[index]
          if (snapshot === undefined) return null
          return (
            <SnapshotRow
              key={snapshot.id}
              snapshot={snapshot}
              day={startsDay(index) ? days[index] : undefined}
              top={start - NOW_PX}
              position={index + 2}
              size={snapshots.length + 1}
              selected={marked.includes(snapshot.id)}
              onPress={(event) => onPress(snapshot.id, event)}
            />
          )
        })}
      </div>
      {snapshots.length === 0 && <p class="timeline-empty">There is no snapshot yet. Capture one to begin.</p>}
    </div>
  )
}

/** The day of each snapshot in words, told once for all of a day. */
function daysOf(snapshots: readonly Snapshot[], now: Date): readonly string[] {
  const words = new Map<string, string>()
  return snapshots.map(({ createdAt }) => {
    const key = createdAt.toDateString()
    const known = words.get(key) ?? dayOf(createdAt, now)
    words.set(key, known)
    return known
  })
}

function idsOf(selected: Selected): readonly string[] {
  if (selected.kind === "now") return []
  return selected.kind === "one" ? [selected.id] : [selected.older, selected.newer]
}

/* As the style sheet has them. */
const ROW_PX = 62
const DAY_PX = 34
const NOW_PX = 68
