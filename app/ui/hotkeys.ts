/** A key and what it does, as the page's help has it. */
export interface Hotkey {
  readonly keys: readonly string[]
  readonly does: string
}

export const HOTKEYS: readonly Hotkey[] = [
  { keys: ["↑", "↓"], does: "Go through the timeline" },
  { keys: ["Home", "End"], does: "To the folder now, to the oldest snapshot" },
  { keys: ["Enter"], does: "Go to what the selected snapshot changed" },
  { keys: ["Esc"], does: "Back to the timeline; close; clear the search" },
  { keys: ["/"], does: "Search files by path" },
  { keys: ["n"], does: "Capture now" },
  { keys: ["r"], does: "Restore the selected snapshot" },
  { keys: ["t"], does: "Take back what the selected snapshot changed" },
  { keys: ["u", "y"], does: "Undo, redo the last restore" },
  { keys: ["c"], does: "Compare with another snapshot (or Shift and a click)" },
  { keys: ["w"], does: "Compare with the one before, with the folder now" },
  { keys: ["p"], does: "Pin, unpin the selected snapshot" },
  { keys: ["s"], does: "Side by side, unified" },
  { keys: ["f"], does: "Fold, unfold all files" },
  { keys: ["?"], does: "Show these keys" },
]
