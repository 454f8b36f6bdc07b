/** The values of all promises; when any rejects, rejects as the first of them, but only after all have ended: nothing runs on unattended. */
export async function settleAll<Values extends readonly unknown[] | []>(
  promises: Values,
): Promise<{ -readonly [At in keyof Values]: Awaited<Values[At]> }> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

/**
 * Runs `step` on each item of `stack`, the last first, `concurrency` at a time, until the stack is empty. Steps may push
 * onto it. When one rejects, no more are started, and it rejects once the running ones have ended.
 */
export async function drain<Item>(
  stack: Item[],
  concurrency: number,
  step: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const start = (item: Item): void => {
    const started: Promise<void> = step(item)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => running.delete(started))
    running.add(started)
  }
  while (failure === undefined && (stack.length > 0 || running.size > 0)) {
    while (stack.length > 0 && running.size < concurrency) start(stack.pop() as Item)
    await Promise.race(running)
  }
  await Promise.all(running)
  if (failure !== undefined) throw failure.error
}
