import type { JSX } from "preact"
import { printable } from "../model/text.js"
import { Button } from "./button.js"
import { Icon } from "./icon.js"
import { useSession } from "./session-context.js"

/** The store's folder, and what can be done at any time. */
export function TopBar(): JSX.Element {
  const { client, connectionState, restoring, activity, asking } = useSession()
  // What is connected has told its folder by then.
  const isReady = connectionState.value === "connected"
  const { worktree } = client
  const isBusy = !isReady || activity.running.value !== undefined
  const at = worktree.lastIndexOf("/") + 1
  return (
    <header class="top-bar">
      <h1 class="brand">treeshot</h1>
      <div class="worktree" title={printable(worktree)}>
        <Icon name="folder" />
        <span class="worktree-path">
          <span class="path-folder">{printable(worktree.slice(0, at))}</span>
          <strong>{printable(worktree.slice(at))}</strong>
        </span>
      </div>
      <div class="top-actions">
        <Button label="Undo" icon="undo" compact hotkey="u" disabled={isBusy} onPress={() => void restoring.undo()} />
        <Button label="Redo" icon="redo" compact hotkey="y" disabled={isBusy} onPress={() => void restoring.redo()} />
        <Button label="Keys" icon="keys" compact hotkey="?" onPress={() => (asking.value = { kind: "keys" })} />
        <Button
          label="Capture"
          icon="capture"
          kind="primary"
          hotkey="n"
          disabled={isBusy}
          onPress={() => (asking.value = { kind: "capture" })}
        />
      </div>
    </header>
  )
}
