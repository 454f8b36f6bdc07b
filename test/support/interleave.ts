import { setImmediate as nextTurn } from "node:timers/promises"
import type { AroundCall, FileSystemCall } from "./faulty-file-system.js"

/** Something that works on a shared file system; all its calls go through `around`. */
export interface Actor<Name extends string = string> {
  readonly name: Name
  run(around: AroundCall): Promise<void>
}

/**
 * Runs actors so that one call of one of them is made at a time. `choose` says whose is next, of those that have a call
 * to make; `made` is how many calls each has made so far. Calls that are no steps, since no other actor can tell when they
 * are made, are made at once and not counted; by default all are steps.
 */
export async function interleave<Name extends string>(
  actors: readonly Actor<Name>[],
  choose: (ready: readonly Name[], made: ReadonlyMap<Name, number>) => Name,
  isStep: (call: FileSystemCall) => boolean = () => true,
): Promise<void> {
  const waiting = new Map<Name, (() => void)[]>(actors.map(({ name }) => [name, []]))
  const made = new Map<Name, number>(actors.map(({ name }) => [name, 0]))
  const failures: unknown[] = []
  let underWay = 0

  const aroundOf =
    (name: Name): AroundCall =>
    async (call, make) => {
      if (!isStep(call)) return make()
      await new Promise<void>((resolve) => waiting.get(name)?.push(resolve))
      made.set(name, (made.get(name) ?? 0) + 1)
      try {
        return await make()
      } finally {
        underWay--
      }
    }

  const running = new Set<Name>(actors.map(({ name }) => name))
  for (const { name, run } of actors)
    void run(aroundOf(name))
      .catch((error: unknown) => failures.push(error))
      .finally(() => running.delete(name))

  const isSettled = (): boolean => underWay === 0 && [...running].every((name) => waiting.get(name)?.length !== 0)
  while (running.size > 0) {
    while (!isSettled()) await nextTurn()
    const ready = [...running]
    if (ready.length === 0) break
    underWay++
    waiting.get(choose(ready, made))?.shift()?.()
  }
  if (failures.length > 0) throw failures[0]
}

/** Random numbers from 0 to below `limit`, the same ones for the same seed. */
export function seeded(seed: number): (limit: number) => number {
  let state = (seed + 1) * 2_654_435_761
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}
