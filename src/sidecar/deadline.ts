/** Something that happens later unless it is cleared first. */
export interface Deadline {
  clear(): void
}

/**
 * Calls `late` after `ms` milliseconds and one more turn of the event loop. So what had already happened when the time
 * was up is seen first, even if this process was busy all the while.
 */
export function after(ms: number, late: () => void): Deadline {
  let turn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => (turn = setImmediate(late)), ms)
  return {
    clear() {
      clearTimeout(timer)
      clearImmediate(turn)
    },
  }
}
