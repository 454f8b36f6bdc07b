import type { JSX } from "preact"
import { useEffect } from "preact/hooks"
import type { Notice } from "../model/notices.js"
import { Icon } from "./icon.js"
import { useSession } from "./session-context.js"

/** The messages at the page's foot. */
export function NoticeList(): JSX.Element {
  const { notices } = useSession()
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.shown.value.map((notice) => (
        <NoticeItem key={notice.id} notice={notice} onDismiss={() => notices.dismiss(notice.id)} />
      ))}
    </div>
  )
}

interface NoticeProps {
  readonly notice: Notice
  readonly onDismiss: () => void
}

/** A problem stays until it is dismissed. */
function NoticeItem({ notice, onDismiss }: NoticeProps): JSX.Element {
  const { kind, text, action } = notice
  useEffect(() => {
    if (kind === "problem") return undefined
    const timer = setTimeout(onDismiss, action === undefined ? SHORT_MS : LONG_MS)
    return () => clearTimeout(timer)
  }, [notice.id])
  return (
    <div class={`notice ${kind}`}>
      <Icon name={kind} />
      <span class="notice-text">{text}</span>
      {action !== undefined && (
        <button
          type="button"
          class="button bare"
          onClick={() => {
            onDismiss()
            action.run()
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" class="button compact bare" onClick={onDismiss}>
        <Icon name="close" />
        <span class="label">Dismiss</span>
      </button>
    </div>
  )
}

const SHORT_MS = 6_000
const LONG_MS = 20_000
