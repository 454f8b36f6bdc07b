/*
 * Captures beside maintenance, one file system call at a time, in many orders: whatever the order, every snapshot that
 * can be seen is whole, and what a capture gave is listed.
 */
import { beforeAll, expect, test } from "vitest"
import { seeded } from "../support/interleave.js"
import {
  foldingStart,
  gatedStore,
  isShared,
  ONE,
  overtaken,
  race,
  raceStart,
  type RaceOptions,
  type Racer,
} from "../support/races.js"
import { eachSchedule, randomSchedule } from "../support/schedules.js"
import { copyOf, type Memory } from "../support/store-on.js"

/** Hundreds of runs: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

let start: Memory
beforeAll(async () => {
  start = await raceStart()
})

test(
  "at whatever call of maintenance a capture goes on from the middle of its publication, its snapshot is whole",
  LONG,
  async () => {
    const problems: string[] = []
    for (const stop of await publicationStops())
      for (let switchAt = 1, isDone = false; !isDone; switchAt++) {
        const choose = (ready: readonly Racer[], made: ReadonlyMap<Racer, number>): Racer => {
          if ((made.get("one") ?? 0) < stop) return "one"
          if (ready.includes("maintenance") && (made.get("maintenance") ?? 0) < switchAt) return "maintenance"
          isDone = (made.get("maintenance") ?? 0) < switchAt
          return ready[0] as Racer
        }
        const { problems: found } = await race(start, choose, { racers: ["one", "maintenance"], sharedOnly: true })
        problems.push(...found.map((problem) => `${problem} (${stop} calls, then ${switchAt} of the maintenance)`))
      }
    expect(problems).toEqual([])
  },
)

test(
  "at whatever call of maintenance a capture gets to the middle of its publication, its snapshot is whole",
  LONG,
  async () => {
    const problems: string[] = []
    for (const stop of await publicationStops())
      for (let first = 0, isDone = false; !isDone; first++) {
        let inMiddle = false
        const choose = (ready: readonly Racer[], made: ReadonlyMap<Racer, number>): Racer => {
          if (!ready.includes("maintenance")) return ready[0] as Racer
          if ((made.get("maintenance") ?? 0) < first) return "maintenance"
          inMiddle = true
          return (made.get("one") ?? 0) < stop && ready.includes("one") ? "one" : "maintenance"
        }
        const { problems: found } = await race(start, choose, { racers: ["one", "maintenance"], sharedOnly: true })
        isDone = !inMiddle
        problems.push(...found.map((problem) => `${problem} (${first} calls of the maintenance, then ${stop})`))
      }
    expect(problems).toEqual([])
  },
)

test("in every order with one preemption of a capture and maintenance, every snapshot is whole", LONG, async () => {
  expect(await everySchedule({ racers: ["one", "maintenance"] })).toEqual([])
})

test("in every such order in which maintenance takes the capture for dead, its snapshot is whole", LONG, async () => {
  expect(await everySchedule({ racers: ["one", "maintenance"], isDead: () => true })).toEqual([])
})

test("in a sixth of those with two captures, every snapshot is whole", LONG, async () => {
  expect(await everySchedule({}, 6)).toEqual([])
})

test(
  "in any order of the calls of two captures and maintenance, which may be killed, every snapshot is whole",
  LONG,
  async () => {
    const problems: string[] = []
    for (let seed = 0; seed < RANDOM_SCHEDULES; seed++) {
      const random = seeded(seed)
      const dead = random(3) === 0
      const choose = randomSchedule<Racer>(random)
      const killedAt = random(2) === 0 ? 1 + random(MAINTENANCE_CALLS) : Number.POSITIVE_INFINITY
      const options = { isDead: () => dead && random(2) === 0, killedAt, sharedOnly: seed % 2 === 0 }
      const { problems: found } = await race(start, choose, options)
      problems.push(...found.map((problem) => `${problem} (seed ${seed})`))
    }
    expect(problems).toEqual([])
  },
)

test(
  "a reader beside a capture and maintenance fails at most because its snapshot was let go, and then not again",
  LONG,
  async () => {
    const problems: string[] = []
    let failedReads = 0
    const racers: readonly Racer[] = ["reader", "one", "maintenance"]
    for (let stop = 0, isDone = false; !isDone; stop++) {
      isDone = true
      const report = await race(
        start,
        (ready, made) => {
          if (ready.includes("reader") && (made.get("reader") ?? 0) < stop) return "reader"
          const other = ready.find((name) => name !== "reader")
          if (other !== undefined && ready.includes("reader")) isDone = false
          return other ?? "reader"
        },
        { racers, sharedOnly: true },
      )
      failedReads += report.failedReads
      problems.push(...report.problems.map((problem) => `${problem} (stopped before step ${stop + 1})`))
    }
    for (let seed = 0; seed < RANDOM_SCHEDULES / 3; seed++) {
      const report = await race(start, randomSchedule(seeded(seed)), { racers, sharedOnly: true })
      problems.push(...report.problems.map((problem) => `${problem} (seed ${seed})`))
    }
    expect(problems).toEqual([])
    expect(failedReads).toBeGreaterThan(0)
  },
)

test(
  "a capture whose base is let go and collected at whatever call of its own does not count on it",
  LONG,
  async () => {
    const problems: string[] = []
    let stop = 1
    for (; ; stop++) {
      const found = await overtaken(start, stop)
      if (found === undefined) break
      problems.push(...found.map((problem) => `${problem} (before call ${stop})`))
    }
    expect(problems).toEqual([])
    expect(stop).toBeGreaterThan(10)
  },
)

test("beside maintenance that folds packs, in many orders, every snapshot is whole", LONG, async () => {
  const folding = await foldingStart()
  const { store } = await gatedStore(copyOf(folding).fileSystem, ONE)
  expect(await store.maintain()).toMatchObject({ packsWritten: 1 })
  await store.close()
  expect(await everySchedule({ racers: ["one", "maintenance"] }, 4, folding)).toEqual([])
  const problems: string[] = []
  for (let seed = 0; seed < RANDOM_SCHEDULES; seed++) {
    const random = seeded(seed)
    const killedAt = random(2) === 0 ? 1 + random(2 * MAINTENANCE_CALLS) : Number.POSITIVE_INFINITY
    const racers: readonly Racer[] = seed % 3 === 0 ? ["reader", "one", "maintenance"] : ["one", "other", "maintenance"]
    const { problems: found } = await race(folding, randomSchedule<Racer>(random), {
      racers,
      killedAt,
      sharedOnly: true,
    })
    problems.push(...found.map((problem) => `${problem} (seed ${seed})`))
  }
  expect(problems).toEqual([])
})

test("beside maintenance that packs refs, in many orders, every snapshot is whole and listed", LONG, async () => {
  const { store } = await gatedStore(copyOf(start).fileSystem, ONE, { refsToPack: 1 })
  expect(await store.maintain()).toMatchObject({ refsPacked: 2 })
  await store.close()
  expect(await everySchedule({ racers: ["one", "maintenance"], refsToPack: 1 }, 2)).toEqual([])
  const problems: string[] = []
  for (let seed = 0; seed < RANDOM_SCHEDULES / 2; seed++) {
    const random = seeded(seed)
    const killedAt = random(2) === 0 ? 1 + random(2 * MAINTENANCE_CALLS) : Number.POSITIVE_INFINITY
    const racers: readonly Racer[] = seed % 3 === 0 ? ["reader", "one", "maintenance"] : ["one", "other", "maintenance"]
    const options = { racers, killedAt, refsToPack: 1, sharedOnly: true }
    const { problems: found } = await race(start, randomSchedule<Racer>(random), options)
    problems.push(...found.map((problem) => `${problem} (seed ${seed})`))
  }
  expect(problems).toEqual([])
})

test("beside maintenance after a snapshot was forgotten, in many orders, every snapshot is whole", LONG, async () => {
  expect(await everySchedule({ racers: ["one", "maintenance"], forgets: true }, 3)).toEqual([])
})

test("packing refs that loses some is found out by the same orders", LONG, async () => {
  const options: RaceOptions = { racers: ["one", "maintenance"], refsToPack: 1, losePackedRefs: true }
  expect(await everySchedule(options)).not.toEqual([])
})

test("maintenance that takes no notice of leases is found out by the same orders", LONG, async () => {
  expect(await everySchedule({ ignoreLeases: true })).not.toEqual([])
})

const RANDOM_SCHEDULES = 60
/** About so many it makes. */
const MAINTENANCE_CALLS = 160

/** What is wrong after each schedule of shared calls with at most one preemption; ends with the first problem. */
async function everySchedule(options: RaceOptions, oneOf: number = 1, from: Memory = start): Promise<string[]> {
  const problems: string[] = []
  const isEnough = (): boolean => problems.length > 0
  const schedules = await eachSchedule<Racer>({ preemptions: 1, isEnough, oneOf }, async (choose) => {
    const order: Racer[] = []
    const noted = (ready: readonly Racer[]): Racer => {
      const next = choose(ready)
      order.push(next)
      return next
    }
    const { problems: found } = await race(from, noted, { ...options, sharedOnly: true })
    problems.push(...found.map((problem) => `${problem} (${shortened(order)})`))
  })
  // A search that found nothing to vary would find nothing wrong, either.
  if (!isEnough()) expect(schedules).toBeGreaterThan(160 / (oneOf + 1))
  return problems
}

/** Such as "12 one, 3 other". */
function shortened(order: readonly string[]): string {
  const runs: { readonly name: string; count: number }[] = []
  for (const name of order) {
    const last = runs.at(-1)
    if (last?.name === name) last.count++
    else runs.push({ name, count: 1 })
  }
  return runs.map(({ name, count }) => `${count} ${name}`).join(", ")
}

/** After how many steps of a capture its pack, its index and its ref have just been put in place. */
async function publicationStops(): Promise<number[]> {
  const { store, gate } = await gatedStore(copyOf(start).fileSystem, ONE)
  const calls: string[] = []
  gate.around = (call, make) => {
    if (isShared(call)) calls.push(`${call.kind} ${call.path}`)
    return make()
  }
  await store.capture({ label: "one" })
  await store.close()
  const stops = ["objects/pack/.*[.]pack", "objects/pack/.*[.]idx", "refs/snapshots/"].map(
    (path) => 1 + calls.findIndex((call) => new RegExp(`^rename .*${path}`).test(call)),
  )
  expect(Math.min(...stops)).toBeGreaterThan(1)
  return stops
}
