/** Resolves in another turn of the event loop: for work of many milliseconds, so that others get theirs in between. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, 0))
}
