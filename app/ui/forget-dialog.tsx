import type { JSX } from "preact"
import type { Snapshot } from "../../src/snapshot-store.js"
import { fullTime, printable } from "../model/text.js"
import { nameOf } from "./aims.js"
import { Button } from "./button.js"
import { Dialog } from "./dialog.js"
import { useSession } from "./session-context.js"

interface ForgetDialogProps {
  readonly snapshot: Snapshot
  readonly onClose: () => void
}

/** Asks before a snapshot is let go, which nothing takes back. */
export function ForgetDialog({ snapshot, onClose }: ForgetDialogProps): JSX.Element {
  const session = useSession()
  return (
    <Dialog title="Forget this snapshot?" onClose={onClose}>
      <p>
        <strong>{printable(nameOf(snapshot))}</strong>
        <br />
        <span class="muted">{fullTime(snapshot.createdAt)}</span>
      </p>
      <p class="hint">
        It cannot be brought back. The files in your folder stay as they are, and so do all other snapshots.
        {snapshot.pinned && " It is pinned: forgetting it lets it go all the same."}
      </p>
      <footer class="dialog-foot">
        <Button label="Keep it" onPress={onClose} />
        <Button
          label="Forget it"
          icon="forget"
          kind="danger"
          onPress={() => {
            onClose()
            void session.forget(snapshot)
          }}
        />
      </footer>
    </Dialog>
  )
}
