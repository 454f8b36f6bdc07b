import type { PlannedChange } from "../core/restore.js"

/** Permission bits of folders are set when everything is in them. */
export function foldersLast(writes: readonly PlannedChange[]): PlannedChange[] {
  const isBits = ({ before, after }: PlannedChange): boolean => before?.mode === "40000" && after?.mode === "40000"
  return [...writes.filter((change) => !isBits(change)), ...writes.filter(isBits).reverse()]
}
