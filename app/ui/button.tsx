import type { JSX } from "preact"
import { Icon, type IconName } from "./icon.js"

interface ButtonProps {
  readonly label: string
  readonly icon?: IconName
  readonly kind?: "primary" | "plain" | "danger"
  /** The picture stands for the words: always, or where the page is narrow. */
  readonly compact?: boolean | "narrow"
  /** The key that does the same. */
  readonly hotkey?: string
  readonly disabled?: boolean
  readonly onPress: () => void
}

export function Button(props: ButtonProps): JSX.Element {
  const { label, icon, kind = "plain", compact = false, hotkey, disabled = false, onPress } = props
  return (
    <button
      type="button"
      class={`button ${kind} ${compact === true ? "compact" : compact === "narrow" ? "compact-narrow" : ""}`}
      title={hotkey === undefined ? undefined : `${label} (${hotkey})`}
      aria-keyshortcuts={hotkey}
      disabled={disabled}
      onClick={onPress}
    >
      {icon !== undefined && <Icon name={icon} />}
      <span class="label">{label}</span>
    </button>
  )
}
