import { describe, expect, it } from "vitest"
import type { RestartDecision } from "../../src/sidecar/exit-record.js"
import { decideRestart, recentExits } from "../../src/sidecar/restart-policy.js"

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** What is decided after each of `count` exits, one every so often. */
function decisions(everyMs: number, count: number, random = 0.5): RestartDecision[] {
  const times = Array.from({ length: count }, (_, at) => at * everyMs)
  return times.map((nowMs, at) => decideRestart(times.slice(0, at + 1), nowMs, random))
}

describe("after an unasked exit, a sidecar", () => {
  it("is started again three times in five minutes, later each time, and then given up", () => {
    expect(decisions(10 * SECOND, 4)).toEqual([
      { action: "restart", attempt: 1, delayMs: 250 },
      { action: "restart", attempt: 2, delayMs: 500 },
      { action: "restart", attempt: 3, delayMs: 1000 },
      { action: "give-up", most: 3, withinMs: 5 * MINUTE },
    ])
  })

  it("is started again six times in an hour, and then given up", () => {
    const all = decisions(3 * MINUTE, 7)
    expect(all.slice(0, 6).map((decision) => "delayMs" in decision && decision.delayMs)).toEqual([
      250, 500, 1000, 2000, 4000, 8000,
    ])
    expect(all[6]).toEqual({ action: "give-up", most: 6, withinMs: HOUR })
  })

  it("is always started again when that comes seldom enough", () => {
    expect(decisions(11 * MINUTE, 40).every(({ action }) => action === "restart")).toBe(true)
  })

  it("waits by a fifth less or more, as chance has it", () => {
    expect(decisions(0, 1, 0)).toEqual([{ action: "restart", attempt: 1, delayMs: 200 }])
    expect(decisions(0, 1, 1)).toEqual([{ action: "restart", attempt: 1, delayMs: 300 }])
  })

  it("is not given up for exits that a wrong clock dates far ahead", () => {
    expect(decideRestart([9 * HOUR, 9 * HOUR, 9 * HOUR, 0], 0, 0.5)).toMatchObject({ action: "restart", attempt: 1 })
  })
})

it("exits count for an hour", () => {
  expect(recentExits([0, MINUTE, HOUR], HOUR)).toEqual([MINUTE, HOUR])
})
