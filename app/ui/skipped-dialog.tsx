import type { JSX } from "preact"
import type { Skipped } from "../../src/snapshot-store.js"
import { count } from "../model/text.js"
import { SKIP_REASONS } from "../model/words.js"
import { Dialog } from "./dialog.js"
import { PathName } from "./path-name.js"

interface SkippedDialogProps {
  readonly skipped: readonly Skipped[]
  readonly onClose: () => void
}

/** What a capture left out, and why. */
export function SkippedDialog({ skipped, onClose }: SkippedDialogProps): JSX.Element {
  const left = skipped.length - MOST_SHOWN
  return (
    <Dialog title="Not in the snapshot" onClose={onClose}>
      <ul class="skipped" tabIndex={0}>
        {skipped.slice(0, MOST_SHOWN).map(({ path, reason }) => (
          <li key={path}>
            <PathName path={path} />
            <span class="why">{SKIP_REASONS[reason]}</span>
          </li>
        ))}
      </ul>
      {left > 0 && <p class="hint">And {count(left, "path")} more.</p>}
      <p class="hint">A restore keeps them as they are.</p>
    </Dialog>
  )
}

const MOST_SHOWN = 200
