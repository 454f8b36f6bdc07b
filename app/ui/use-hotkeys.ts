import { useEffect } from "preact/hooks"
import type { Session } from "../model/session.js"
import { beginRestore, beginRevert } from "./aims.js"
import { focusSearch, focusTimeline } from "./focus.js"
import { useSession } from "./session-context.js"

/** Listens to the keys that work anywhere on the page but in a text field or a dialog. */
export function useHotkeys(): void {
  const session = useSession()
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isElsewhere(event.target)) return
      const act = ACTS[event.key]
      if (act === undefined) return
      event.preventDefault()
      act(session)
    }
    document.addEventListener("keydown", onKey)
    return () => document.removeEventListener("keydown", onKey)
  }, [session])
}

function isElsewhere(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open]") !== null) return true
  if (!(target instanceof HTMLElement)) return false
  if (target instanceof HTMLInputElement) return target.type !== "checkbox" && target.type !== "radio"
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
}

const ACTS: Readonly<Record<string, (session: Session) => void>> = {
  "/": focusSearch,
  "?": ({ asking }) => (asking.value = { kind: "keys" }),
  n: whenIdle(({ asking }) => (asking.value = { kind: "capture" })),
  r: whenIdle(beginRestore),
  t: whenIdle(beginRevert),
  u: whenIdle(({ restoring }) => void restoring.undo()),
  y: whenIdle(({ restoring }) => void restoring.redo()),
  c: ({ selection }) => selection.startPairing(),
  w({ selection }) {
    const selected = selection.selected.value
    if (selected.kind === "one") selection.against(selected.against === "now" ? "before" : "now")
  },
  p: whenIdle((session) => {
    const { selection, timeline } = session
    const selected = selection.selected.value
    const snapshot = selected.kind === "one" ? timeline.withId(selected.id) : undefined
    if (snapshot !== undefined) void session.pin(snapshot, !snapshot.pinned)
  }),
  s: ({ view }) => (view.layout.value = view.layout.value === "split" ? "unified" : "split"),
  f: ({ view }) => view.foldAll(!view.foldsAll.value),
  Escape(session) {
    session.selection.stopPairing()
    session.selection.showTimeline()
    focusTimeline()
  },
}

/** Nothing is begun while something runs, or nobody is there to do it. */
function whenIdle(act: (session: Session) => void): (session: Session) => void {
  return (session) => {
    if (session.activity.running.value === undefined && session.connectionState.value === "connected") act(session)
  }
}
