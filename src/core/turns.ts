/** Lets the event loop come round when it has waited for long; resolves at once otherwise. To be called between steps of a long calculation. */
export type Pause = () => Promise<void> | undefined

/** A pause for one call of the library. */
export function pauses(): Pause {
  let beganMs = performance.now()
  return () => {
    if (performance.now() - beganMs < TURN_MS) return undefined
    return nextTurn().then(() => {
      beganMs = performance.now()
    })
  }
}

/** Resolves in another turn of the event loop: for work of many milliseconds, so that others get theirs in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void schedule(resolve))
}

const TURN_MS = 8

/** Browsers know timers only, which wait for a millisecond or more. */
const schedule: (callback: () => void) => unknown =
  (globalThis as { readonly setImmediate?: (callback: () => void) => unknown }).setImmediate ?? setTimeout
