/*
 * Orders in which the steps of several actors come: all of a kind, one after the other, or random ones.
 */
import type { Actor } from "./interleave.js"

/** Says whose step is next, of those that have one. */
export type Choose<Name extends string> = (ready: readonly Name[]) => Name

/** Which schedules to go through. */
export interface ScheduleBounds {
  /** So often at most an actor is stopped although it could go on. */
  readonly preemptions: number
  /** Ends the search; asked before each schedule. Default: never. */
  readonly isEnough?: (done: number) => boolean
  /** Of the schedules with a preemption only about one of so many. Default: all of them. */
  readonly oneOf?: number
}

/**
 * Calls `run` with each schedule that has at most so many preemptions, once each: what `run` does has to follow from the
 * choices alone. It starts with the first schedule and goes on by changing the last choices first. Gives how many there
 * were.
 */
export async function eachSchedule<Name extends string>(
  { preemptions, isEnough = () => false, oneOf = 1 }: ScheduleBounds,
  run: (choose: Choose<Name>) => Promise<void>,
): Promise<number> {
  const open: (readonly Name[])[] = [[]]
  let done = 0
  let found = 0
  for (let prefix = open.pop(); prefix !== undefined && !isEnough(done); prefix = open.pop()) {
    const steps = await recorded(prefix, run)
    done++
    let spent = 0
    const chosen: Name[] = []
    for (const [at, { ready, name }] of steps.entries()) {
      const last = chosen.at(-1)
      const cost = (next: Name): number => (last !== undefined && ready.includes(last) && next !== last ? 1 : 0)
      // What comes before the end of the prefix was varied when the prefix was made.
      if (at >= prefix.length)
        for (const other of ready)
          if (other !== name && spent + cost(other) <= preemptions && (cost(other) === 0 || found++ % oneOf === 0))
            open.push([...chosen, other])
      spent += cost(name)
      chosen.push(name)
    }
  }
  return done
}

interface Step<Name extends string> {
  readonly ready: readonly Name[]
  readonly name: Name
}

/** Runs a schedule that begins as `prefix` says, and goes on with as few changes of actor as possible. */
async function recorded<Name extends string>(
  prefix: readonly Name[],
  run: (choose: Choose<Name>) => Promise<void>,
): Promise<readonly Step<Name>[]> {
  const steps: Step<Name>[] = []
  await run((ready) => {
    const wanted = prefix[steps.length] ?? steps.at(-1)?.name
    const name = wanted !== undefined && ready.includes(wanted) ? wanted : (ready[0] as Name)
    steps.push({ ready: [...ready], name })
    return name
  })
  return steps
}

/**
 * A random schedule: from long runs of one actor, which meet few others in the middle, to a change at almost every step.
 * `random` gives numbers from 0 to below its argument.
 */
export function randomSchedule<Name extends Actor["name"]>(random: (limit: number) => number): Choose<Name> {
  const stay = [0, 4, 20, 80][random(4)] ?? 0
  let last: Name | undefined
  return (ready) => {
    if (last === undefined || !ready.includes(last) || random(stay + 1) === 0) last = ready[random(ready.length)]
    return last as Name
  }
}
