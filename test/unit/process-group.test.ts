import { spawn } from "node:child_process"
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { isGroupThere } from "../../src/sidecar/process-group.js"
import { nodeSystem } from "../../src/sidecar/process-system.js"
import { block, isRunning } from "../support/processes.js"

describe("a group of processes", () => {
  it("is there as long as one of them runs, even when its leader has gone", async () => {
    const leader = spawn("sh", ["-c", "sleep 600 & exit 0"], { detached: true, stdio: "ignore" })
    const group = leader.pid as number
    await once(leader, "exit")
    expect(isGroupThere(nodeSystem, group)).toBe(true)
    process.kill(-group, "SIGKILL")
    block(() => !isGroupThere(nodeSystem, group))
    expect(isGroupThere(nodeSystem, group)).toBe(false)
  })

  it.runIf(process.platform === "linux")("is gone when all of them have ended, though nobody asked for them", () => {
    const leader = spawn("true", [], { detached: true, stdio: "ignore" })
    const group = leader.pid as number
    // As long as this is blocked, nobody does.
    block(() => !isRunning(group))
    expect(() => process.kill(-group, 0)).not.toThrow()
    expect(isGroupThere(nodeSystem, group)).toBe(false)
  })

  it("that was never there is not there", () => {
    expect(isGroupThere(nodeSystem, 2 ** 30)).toBe(false)
  })
})
