import type { JSX } from "preact"
import { CaptureDialog } from "./capture-dialog.js"
import { ForgetDialog } from "./forget-dialog.js"
import { KeysDialog } from "./keys-dialog.js"
import { useSession } from "./session-context.js"
import { SkippedDialog } from "./skipped-dialog.js"
import { StoreDialog } from "./store-dialog.js"

/** The small dialogs, one at a time. */
export function Asking(): JSX.Element | null {
  const { asking } = useSession()
  const asked = asking.value
  const close = (): void => {
    asking.value = undefined
  }
  switch (asked?.kind) {
    case "capture":
      return <CaptureDialog onClose={close} />
    case "forget":
      return <ForgetDialog snapshot={asked.snapshot} onClose={close} />
    case "keys":
      return <KeysDialog onClose={close} />
    case "skipped":
      return <SkippedDialog skipped={asked.skipped} onClose={close} />
    case "store":
      return <StoreDialog onClose={close} />
    case undefined:
      return null
  }
}
