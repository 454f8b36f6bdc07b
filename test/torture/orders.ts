/*
 * Two captures, a maintenance run and a reader on one store, one file system call at a time: in every order with two
 * preemptions, one after the other, and in random ones, with maintenance killed at any call.
 */
import { race, raceStart, type Racer } from "../support/races.js"
import { eachSchedule, randomSchedule } from "../support/schedules.js"
import type { Part } from "./part.js"

const WHO: readonly (readonly Racer[])[] = [
  ["one", "other", "maintenance"],
  ["reader", "one", "maintenance"],
]

export const orders: Part = {
  name: "orders",
  title: "orders of the calls of captures, maintenance and a reader",
  share: 4,
  async run({ random, isOver, ran, lose }) {
    const start = await raceStart()
    for (let round = 0; !isOver(); round++) {
      const racers = WHO[round % WHO.length] ?? []
      const dead = random(3) === 0
      const isKilled = random(2) === 0
      const killedAt = isKilled ? 1 + random(MAINTENANCE_CALLS) : Number.POSITIVE_INFINITY
      const options = {
        racers,
        killedAt,
        isDead: () => dead && random(2) === 0,
        refsToPack: random(2) === 0 ? 1 : 64,
        forgets: random(4) === 0,
      }
      // Every other round goes through the neighbours of a schedule, in which one step is chosen otherwise.
      const choose = round % 2 === 0 ? randomSchedule<Racer>(random) : undefined
      const done = { schedules: 0, "failed reads, tried again": 0 }
      const once = async (next: (ready: readonly Racer[]) => Racer): Promise<void> => {
        const report = await race(start, next, { ...options, sharedOnly: choose === undefined })
        done.schedules++
        done["failed reads, tried again"] += report.failedReads
        for (const problem of report.problems) lose(`${problem} (${racers.join(", ")}, killed at ${killedAt})`)
      }
      if (choose !== undefined) await once(choose)
      else await eachSchedule<Racer>({ preemptions: 2, isEnough: (count) => isOver() || count >= NEIGHBOURS }, once)
      ran({ ...done, ...(isKilled ? { "killed maintenance runs": done.schedules } : {}) })
    }
  },
}

/** About so many a maintenance run makes. */
const MAINTENANCE_CALLS = 160
const NEIGHBOURS = 100
