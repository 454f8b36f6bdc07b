import { h, type JSX } from "preact"
import {
  ArrowLeft,
  Camera,
  CircleAlert,
  CircleCheck,
  FolderOpen,
  GitCompareArrows,
  History,
  Keyboard,
  Pin,
  PinOff,
  Redo2,
  Rewind,
  Search,
  ShieldCheck,
  Trash2,
  TriangleAlert,
  Undo2,
  Unplug,
  X,
  type IconNode,
} from "lucide"

const ICONS = {
  back: ArrowLeft,
  capture: Camera,
  problem: CircleAlert,
  done: CircleCheck,
  folder: FolderOpen,
  compare: GitCompareArrows,
  restore: History,
  keys: Keyboard,
  pin: Pin,
  unpin: PinOff,
  redo: Redo2,
  revert: Rewind,
  search: Search,
  safety: ShieldCheck,
  forget: Trash2,
  incomplete: TriangleAlert,
  undo: Undo2,
  lost: Unplug,
  close: X,
} satisfies Readonly<Record<string, IconNode>>

export type IconName = keyof typeof ICONS

/** A picture beside words, or in their place where `label` gives them. */
export function Icon({ name, label }: { readonly name: IconName; readonly label?: string }): JSX.Element {
  const parts: IconNode = ICONS[name]
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      {parts.map(([tag, attributes]) => h(tag, attributes))}
    </svg>
  )
}
