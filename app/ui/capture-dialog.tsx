import type { JSX } from "preact"
import { useRef } from "preact/hooks"
import { Button } from "./button.js"
import { Dialog } from "./dialog.js"
import { Icon } from "./icon.js"
import { useSession } from "./session-context.js"

/** Asks for a label, and captures. */
export function CaptureDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const session = useSession()
  const label = useRef<HTMLInputElement>(null)
  return (
    <Dialog title="Capture now" onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault()
          const text = label.current?.value.trim() ?? ""
          onClose()
          void session.capture(text)
        }}
      >
        <label class="field">
          <span>Label, if you like</span>
          <input
            ref={label}
            type="text"
            maxLength={4_096}
            autocomplete="off"
            placeholder="before the refactoring"
            autofocus
          />
        </label>
        <p class="hint">A snapshot of the folder as it is. No file is changed.</p>
        <footer class="dialog-foot">
          <Button label="Cancel" onPress={onClose} />
          <button type="submit" class="button primary">
            <Icon name="capture" />
            <span class="label">Capture</span>
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
