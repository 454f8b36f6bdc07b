import { randomHex } from "../core/random.js"

/**
 * Gives names for files that a restore keeps for the moment, another one each time: nothing else of this form is captured
 * or restored. They are counted from a random start, since thousands of random names take some milliseconds.
 */
export function restoreNames(): () => string {
  const start = randomHex(12)
  let count = 0
  return () => `.treeshot-${start}${(count++).toString(16).padStart(8, "0")}`
}

/** Whether `name` is of the form that restores keep for themselves. */
export function isRestoreName(name: string): boolean {
  return /^\.treeshot-[0-9a-f]{32}$/.test(name)
}
