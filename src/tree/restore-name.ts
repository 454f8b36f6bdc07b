import { randomHex } from "../core/random.js"

/** A name for a file that a restore keeps for the moment: no other name of this form is captured or restored. */
export function restoreName(): string {
  return `.treeshot-${randomHex(16)}`
}

/** Whether `name` is of the form that restores keep for themselves. */
export function isRestoreName(name: string): boolean {
  return /^\.treeshot-[0-9a-f]{32}$/.test(name)
}
