import type { JSX } from "preact"
import { progressWords } from "../model/words.js"
import { useSession } from "./session-context.js"

/** What the page waits for, and how far it is. */
export function ProgressLine(): JSX.Element {
  const { activity } = useSession()
  const running = activity.running.value
  if (running === undefined) return <div class="progress-line" />
  const { what, progress } = running
  const words = progress === undefined ? `${what} …` : `${what} … ${progressWords(progress)}`
  const isKnown = progress?.total !== undefined && progress.total > 0
  return (
    <div class="progress-line running">
      <progress aria-label={what} {...(isKnown ? { value: progress.done, max: progress.total } : {})} />
      <span class="progress-words">{words}</span>
    </div>
  )
}
