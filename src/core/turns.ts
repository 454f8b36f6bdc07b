/** Lets the event loop come round when it has waited for long; resolves at once otherwise. To be called between steps of a long calculation. */
export type Pause = () => Promise<void> | undefined

/** A pause for one call of the library. */
export function pauses(): Pause {
  let beganMs = performance.now()
  return () => {
    if (performance.now() - beganMs < TURN_MS) return undefined
    return new Promise((resolve) => {
      nextTurn(() => {
        beganMs = performance.now()
        resolve()
      })
    })
  }
}

const TURN_MS = 8

/** Browsers know timers only, which wait for a millisecond or more. */
const nextTurn: (callback: () => void) => unknown =
  (globalThis as { readonly setImmediate?: (callback: () => void) => unknown }).setImmediate ?? setTimeout
