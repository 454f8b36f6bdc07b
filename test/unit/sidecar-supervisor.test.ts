/*
 * A supervisor on real processes. Where time counts it is a fake clock's, so that none has to be waited for.
 */
import { describe, expect, it } from "vitest"
import type { CurrentSidecar, SidecarState } from "../../src/sidecar/sidecar-state.js"
import { FakeClock } from "../support/fake-clock.js"
import { isRunning } from "../support/processes.js"
import { SidecarSupervisor } from "../../src/sidecar/supervisor.js"
import {
  SIDECAR_BY_HAND,
  ended,
  LONG,
  reached,
  supervise,
  superviseOn,
  tell,
  type Supervised,
} from "../support/sidecars.js"

/** Answers at once, so that no answer is on its way when a fake clock's time passes. */
const alwaysWell = { askHealth: async () => true, random: () => 0.5 }

describe("a ready sidecar", () => {
  it("that is killed from outside has one record, is current no more, once, and another one follows", async () => {
    const told = supervise()
    const first = await told.supervisor.start()
    process.kill(first.pid, "SIGKILL")
    await reached(told.supervisor, "backoff")
    expect(told.supervisor.current).toBeUndefined()
    await reached(told.supervisor, "ready")
    const { current, exits } = told.supervisor
    expect(told.currents).toEqual([first, undefined, current])
    expect(told.states).toEqual(["starting", "ready", "backoff", "starting", "ready"])
    expect(current).toMatchObject({ generation: 2 })
    expect(current?.token).not.toBe(first.token)
    expect(told.exits).toEqual(exits)
    expect(exits).toEqual([
      {
        generation: 1,
        pid: first.pid,
        expected: false,
        initiator: "nobody",
        reason: "unasked",
        phase: "ready",
        code: undefined,
        signal: "SIGKILL",
        startedAt: expect.any(Date),
        readyAt: expect.any(Date),
        endedAt: expect.any(Date),
        uptimeMs: expect.any(Number),
        stderr: [],
        late: false,
        escalation: "none",
        restart: { action: "restart", attempt: 1, delayMs: expect.any(Number) },
        error: undefined,
      },
    ])
  })

  it("that exits with 0 unasked has not done as expected, and another one follows", async () => {
    const told = supervise()
    await tell(await told.supervisor.start(), "exit/0")
    await ended(told, 1)
    expect(told.exits[0]).toMatchObject({ expected: false, reason: "unasked", code: 0, restart: { action: "restart" } })
    await reached(told.supervisor, "ready")
    expect(told.supervisor.current?.generation).toBe(2)
  })

  it("that stops is unhealthy after two misses, and ready again when it goes on", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock)
    const first = await told.supervisor.start()
    process.kill(first.pid, "SIGSTOP")
    await clock.pass(5000 + 3000)
    expect(told.supervisor.state).toBe("ready")
    await clock.pass(5000)
    expect(told.supervisor.state).toBe("unhealthy")
    expect(told.supervisor.current).toEqual(first)
    process.kill(first.pid, "SIGCONT")
    await clock.pass(2000)
    await reached(told.supervisor, "ready")
    expect(told.currents).toEqual([first])
    expect(told.exits).toEqual([])
  })

  it("has missed nothing while this machine slept", async () => {
    const clock = new FakeClock()
    let isWell = true
    const told = superviseOn(clock, {}, { askHealth: async () => isWell })
    await told.supervisor.start()
    isWell = false
    await clock.pass(5000)
    clock.sleep(3_600_000)
    await clock.pass(0)
    // The second miss in a row, but the first since the machine woke up.
    expect(told.supervisor.state).toBe("ready")
    await clock.pass(5000)
    expect(told.supervisor.state).toBe("unhealthy")
  })

  it("has missed nothing when this machine slept while it was asked", async () => {
    const clock = new FakeClock()
    let answers: (() => void)[] = []
    let isAsked = false
    const told = superviseOn(
      clock,
      {},
      {
        askHealth: () =>
          isAsked ? new Promise((_, reject) => answers.push(() => reject(new Error("reset")))) : Promise.resolve(true),
      },
    )
    await told.supervisor.start()
    isAsked = true
    for (let round = 0; round < 3; round++) {
      await clock.pass(5000)
      clock.sleep(3_600_000)
      for (const answer of answers) answer()
      answers = []
      await clock.pass(0)
    }
    expect(told.states).toEqual(["starting", "ready"])
  })

  it("takes with it what it has started, when it ends", async () => {
    const told = supervise({ "*": { starts: true } })
    const first = await told.supervisor.start()
    const grandchild = Number(told.lines[0])
    expect(isRunning(grandchild)).toBe(true)
    process.kill(first.pid, "SIGKILL")
    await ended(told, 1)
    await expect.poll(() => isRunning(grandchild), LONG).toBe(false)
  })

  it("may say again that it is ready, and say what is none of ours", async () => {
    const told = supervise({ "*": { start: "noisy" } })
    const first = await told.supervisor.start()
    await tell(first, "anything")
    expect(told.supervisor.current).toEqual(first)
    expect(told.exits).toEqual([])
  })
})

describe("a stop", () => {
  it("is expected whatever the code, and two of them are one", async () => {
    const told = supervise({ "*": { onStop: 1 } })
    const first = await told.supervisor.start()
    const stopped = told.supervisor.stop()
    expect(told.supervisor.stop()).toBe(stopped)
    expect(told.supervisor).toMatchObject({ state: "stopping", current: undefined })
    await stopped
    expect(told.supervisor.stop()).toBe(stopped)
    expect(isRunning(first.pid)).toBe(false)
    expect(told.states).toEqual(["starting", "ready", "stopping", "stopped"])
    expect(told.currents).toEqual([first, undefined])
    expect(told.exits).toMatchObject([
      {
        expected: true,
        initiator: "caller",
        reason: "stop",
        phase: "stopping",
        code: 1,
        stderr: ["asked to stop: stop"],
        escalation: "message",
        restart: { action: "none", because: "expected" },
      },
    ])
  })

  it("kills one that is stubborn", async () => {
    const told = supervise(
      { "*": { onStop: "ignore", onTerm: "ignore" } },
      { limits: { stopMs: 100, terminateMs: 100 } },
    )
    const { pid } = await told.supervisor.start()
    await told.supervisor.stop()
    expect(isRunning(pid)).toBe(false)
    expect(told.exits).toMatchObject([{ expected: true, signal: "SIGKILL", escalation: "kill" }])
  })

  it("goes on to SIGTERM after 3 s, and not before", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, { "*": { onStop: "ignore", onTerm: 5 } }, alwaysWell)
    const { pid } = await told.supervisor.start()
    const stopped = told.supervisor.stop()
    await expect.poll(() => told.lines, LONG).toEqual(["asked to stop: stop"])
    await clock.pass(2999)
    expect(isRunning(pid)).toBe(true)
    await clock.pass(1)
    await stopped
    expect(told.exits).toMatchObject([{ code: 5, escalation: "terminate" }])
    expect(clock.duesMs).toEqual([])
  })

  it("goes on to SIGKILL after 3 s more, also for one that cannot hear", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, {}, alwaysWell)
    const { pid } = await told.supervisor.start()
    process.kill(pid, "SIGSTOP")
    const stopped = told.supervisor.stop()
    await clock.pass(5999)
    expect(told.supervisor.state).toBe("stopping")
    await clock.pass(1)
    await stopped
    expect(told.exits).toMatchObject([{ signal: "SIGKILL", escalation: "kill" }])
  })

  it("ends a start, and whoever waits for it is told", async () => {
    const told = supervise({ "*": { start: "never" } })
    const started = told.supervisor.start()
    await told.supervisor.stop()
    await expect(started).rejects.toMatchObject({ code: "CLOSED" })
    expect(told.states).toEqual(["starting", "stopping", "stopped"])
    expect(told.exits).toMatchObject([{ expected: true, reason: "stop", readyAt: undefined }])
  })

  it("ends the wait for the next start", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, { "*": { start: "exit", code: 3 } }, alwaysWell)
    const started = told.supervisor.start()
    await reached(told.supervisor, "backoff")
    await ended(told, 1)
    await told.supervisor.stop()
    await expect(started).rejects.toMatchObject({ code: "CLOSED" })
    await clock.pass(60_000)
    expect(told.supervisor.state).toBe("stopped")
    expect(clock.duesMs).toEqual([])
  })

  it("before any start has nothing to do", async () => {
    const told = supervise()
    await told.supervisor.stop()
    expect(told.states).toEqual(["stopped"])
    expect(told.exits).toEqual([])
  })

  it("that is asked for by a listener is the last word", async () => {
    const told = supervise()
    told.supervisor.on("state", ({ state }) => state === "starting" && void told.supervisor.stop())
    await expect(told.supervisor.start()).rejects.toMatchObject({ code: "CLOSED" })
    await reached(told.supervisor, "stopped")
    expect(told.states).toEqual(["starting", "stopping", "stopped"])
  })

  it("that is asked for when one is ready comes after the news that it is", async () => {
    const told = supervise()
    told.supervisor.on("state", ({ state }) => state === "ready" && void told.supervisor.stop())
    const first = await told.supervisor.start()
    await reached(told.supervisor, "stopped")
    expect(told.states).toEqual(["starting", "ready", "stopping", "stopped"])
    expect(told.currents).toEqual([first, undefined])
  })
})

describe("a start", () => {
  it("gives the one that is there, or on its way", async () => {
    const told = supervise()
    const [one, other] = await Promise.all([told.supervisor.start(), told.supervisor.start()])
    expect(other).toEqual(one)
    expect(await told.supervisor.start()).toEqual(one)
    expect(one).toEqual({
      generation: 1,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      token: expect.stringMatching(/^[0-9a-f]{64}$/),
      pid: expect.any(Number),
    })
  })

  it("while it stops begins when all have gone, unless there is another stop", async () => {
    const told = supervise()
    const first = await told.supervisor.start()
    const stopped = told.supervisor.stop()
    const second = await told.supervisor.start()
    await stopped
    expect(second).toMatchObject({ generation: 2 })
    expect(isRunning(first.pid)).toBe(false)
    const again = told.supervisor.stop()
    const third = told.supervisor.start()
    expect(told.supervisor.stop()).toBe(again)
    await expect(third).rejects.toMatchObject({ code: "CLOSED" })
    await again
    expect(told.supervisor.state).toBe("stopped")
    expect(told.exits).toHaveLength(2)
  })

  it("waits through those that exit before they are ready, each of which fails at once", async () => {
    const told = supervise({ 1: { start: "exit", code: 3, says: ["no such folder\n"] } })
    const current = await told.supervisor.start()
    expect(current.generation).toBe(2)
    expect(told.states).toEqual(["starting", "backoff", "starting", "ready"])
    expect(told.exits).toMatchObject([
      {
        expected: false,
        initiator: "nobody",
        reason: "unasked",
        phase: "starting",
        code: 3,
        stderr: ["no such folder"],
      },
    ])
  })

  it.each([
    ["with a wrong token", { start: "wrong token" }],
    ["at another machine", { start: "elsewhere", url: "http://192.0.2.1:80" }],
    ["at a name, which may be another machine's", { start: "elsewhere", url: "http://localhost:80" }],
    ["at what is no address", { start: "elsewhere", url: "here" }],
  ] as const)("that says %s that it is ready has failed, and is never current", async (_where, rule) => {
    const told = supervise({ 1: rule })
    const current = await told.supervisor.start()
    expect(current.generation).toBe(2)
    expect(told.currents).toEqual([current])
    expect(told.exits).toMatchObject([
      { generation: 1, expected: false, initiator: "supervisor", reason: "bad-ready", readyAt: undefined },
    ])
    expect(told.exits[0]?.restart.action).toBe("restart")
  })

  it("has failed after 30 s without news", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, { 1: { start: "never" } }, alwaysWell)
    const started = told.supervisor.start()
    await clock.pass(29_999)
    expect(told.supervisor.state).toBe("starting")
    await clock.pass(1)
    await reached(told.supervisor, "backoff")
    await ended(told, 1)
    expect(told.exits).toMatchObject([{ expected: false, initiator: "supervisor", reason: "start-timeout" }])
    await clock.pass(250)
    expect(await started).toMatchObject({ generation: 2 })
  })

  it("has another 30 s with each news of it", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, { "*": { start: "news" } }, alwaysWell)
    void told.supervisor.start()
    await expect.poll(() => told.lines, LONG).toHaveLength(1)
    await clock.pass(20_000)
    expect(clock.duesMs).toEqual([10_000])
    await tell({ url: told.lines[0] ?? "" }, "news/1")
    await expect.poll(() => clock.duesMs, LONG).toEqual([30_000])
  })

  it("is not over before it has answered that it is well", async () => {
    const clock = new FakeClock()
    const answers: (boolean | Error)[] = [false, new Error("refused"), true]
    const askHealth = async (): Promise<boolean> => {
      const answer = answers.shift() ?? true
      if (answer instanceof Error) throw answer
      return answer
    }
    const told = superviseOn(clock, {}, { askHealth })
    const started = told.supervisor.start()
    await expect.poll(() => answers, LONG).toHaveLength(2)
    await clock.pass(250)
    expect(answers).toHaveLength(1)
    expect(told.states).toEqual(["starting"])
    await clock.pass(250)
    expect(await started).toMatchObject({ generation: 1 })
    expect(answers).toHaveLength(0)
  })

  it("of what cannot be launched has failed, and says why", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, {}, { ...alwaysWell, cwd: "/no such folder" })
    const started = told.supervisor.start()
    for (const delayMs of [250, 500, 1000]) {
      await reached(told.supervisor, "backoff")
      await clock.pass(delayMs)
    }
    await reached(told.supervisor, "failed")
    await expect(started).rejects.toMatchObject({ code: "IO_FAILED", message: expect.stringContaining("ENOENT") })
    expect(told.exits).toHaveLength(4)
    expect(told.exits[0]).toMatchObject({
      pid: undefined,
      expected: false,
      initiator: "nobody",
      reason: "launch-failed",
    })
  })
})

describe("on a fake clock, a sidecar that ends unasked", () => {
  it("every 10 s is started again three times, and then given up", async () => {
    const { told, clock } = await crashing(10_000, 4)
    expect(told.supervisor.state).toBe("failed")
    expect(told.exits.map(({ restart }) => restart)).toEqual([
      { action: "restart", attempt: 1, delayMs: 250 },
      { action: "restart", attempt: 2, delayMs: 500 },
      { action: "restart", attempt: 3, delayMs: 1000 },
      { action: "give-up", most: 3, withinMs: 300_000 },
    ])
    expect(clock.duesMs).toEqual([])
    // It begins anew when it is told to.
    expect(await told.supervisor.start()).toMatchObject({ generation: 5 })
  })

  it("every 3 minutes is started again six times, and then given up", async () => {
    const { told } = await crashing(180_000, 7)
    expect(told.supervisor.state).toBe("failed")
    expect(told.exits.map(({ restart }) => restart.action)).toEqual([...Array(6).fill("restart"), "give-up"])
  })

  /** Has it crash so often, at such times. */
  async function crashing(everyMs: number, times: number): Promise<{ told: Supervised; clock: FakeClock }> {
    const clock = new FakeClock()
    const told = superviseOn(clock, {}, alwaysWell)
    await told.supervisor.start()
    for (let crash = 1; crash <= times; crash++) {
      await reached(told.supervisor, "ready")
      await clock.pass(everyMs)
      process.kill((told.supervisor.current as CurrentSidecar).pid, "SIGKILL")
      await ended(told, crash)
      const restart = told.exits.at(-1)?.restart
      if (restart?.action === "restart") await clock.pass(restart.delayMs)
    }
    return { told, clock }
  }
})

describe("a replacement", () => {
  it("is ready before the one before goes, whose late end changes nothing", async () => {
    const told = supervise({ 1: { onStop: "ignore" } })
    const first = await told.supervisor.start()
    const second = await told.supervisor.replace()
    expect(second.generation).toBe(2)
    expect(isRunning(first.pid)).toBe(true)
    await tell(first, "exit/7")
    await ended(told, 1)
    expect(told.exits).toMatchObject([
      {
        generation: 1,
        expected: true,
        initiator: "caller",
        reason: "replace",
        code: 7,
        late: true,
        restart: { action: "none", because: "expected" },
      },
    ])
    expect(told.supervisor).toMatchObject({ state: "ready", current: second })
    expect(told.currents).toEqual([first, second])
    expect(told.states).toEqual(["starting", "ready"])
  })

  it("that fails leaves the one before as it was", async () => {
    const told = supervise({ 2: { start: "exit", code: 4, says: ["bad setting\n"] } })
    const first = await told.supervisor.start()
    await expect(told.supervisor.replace()).rejects.toMatchObject({
      code: "IO_FAILED",
      message: expect.stringContaining("bad setting"),
    })
    expect(told.supervisor).toMatchObject({ state: "ready", current: first })
    expect(told.exits).toMatchObject([{ generation: 2, restart: { action: "none", because: "old-one-stays" } }])
    expect(told.currents).toEqual([first])
  })

  it("goes on when the one before ends meanwhile", async () => {
    const told = supervise({ 2: { start: "never" } })
    const first = await told.supervisor.start()
    const replaced = told.supervisor.replace()
    process.kill(first.pid, "SIGKILL")
    await ended(told, 1)
    expect(told.supervisor).toMatchObject({ state: "starting", current: undefined })
    expect(told.exits[0]).toMatchObject({ late: false, restart: { action: "none", because: "another-starts" } })
    const last = told.supervisor.replace()
    expect(await replaced).toMatchObject({ generation: 3 })
    expect(await last).toEqual(await replaced)
    await ended(told, 2)
    expect(told.exits[1]).toMatchObject({ generation: 2, expected: true, reason: "replace", late: true })
  })

  it("of one that waits for its next start begins at once", async () => {
    const clock = new FakeClock()
    const told = superviseOn(clock, { 1: { start: "exit", code: 1 } }, alwaysWell)
    const started = told.supervisor.start()
    await reached(told.supervisor, "backoff")
    expect(await told.supervisor.replace()).toMatchObject({ generation: 2 })
    expect(await started).toMatchObject({ generation: 2 })
  })

  it("of nothing is a start", async () => {
    const told = supervise()
    expect(await told.supervisor.replace()).toMatchObject({ generation: 1 })
  })
})

describe("what is told", () => {
  it("comes as states, in order, to each reader, until the supervisor is disposed of", async () => {
    const told = supervise()
    const read = async (): Promise<SidecarState[]> => {
      const states: SidecarState[] = []
      for await (const state of told.supervisor.states) states.push(state)
      return states
    }
    const all = Promise.all([read(), read()])
    await told.supervisor.start()
    for await (const state of told.supervisor.states) {
      expect(state).toBe("ready")
      break
    }
    await told.supervisor[Symbol.asyncDispose]()
    const expected = ["idle", "starting", "ready", "stopping", "stopped"]
    expect(await all).toEqual([expected, expected])
    await expect(told.supervisor.start()).rejects.toMatchObject({ code: "CLOSED" })
  })

  it("keeps the last 40 lines of stderr, each to a length", async () => {
    const says = [...Array.from({ length: 50 }, (_, at) => `line ${at}\r\n`), `${"x".repeat(5000)}\n`, "no end"]
    const told = supervise({ "*": { says } })
    const first = await told.supervisor.start()
    process.kill(first.pid, "SIGKILL")
    await ended(told, 1)
    const stderr = told.exits[0]?.stderr
    expect(stderr).toHaveLength(40)
    expect(stderr?.[0]).toBe("line 12")
    expect(stderr?.at(-2)).toBe("x".repeat(2000))
    expect(stderr?.at(-1)).toBe("no end")
    expect(told.lines).toHaveLength(52)
  })

  it("is told no more to a listener that was taken away, and never stopped by one that throws", async () => {
    const told = supervise()
    let heard = 0
    told.supervisor.on("state", () => {
      throw new Error("the listener's own business")
    })
    told.supervisor.on("state", async () => Promise.reject(new Error("the same")))
    const off = told.supervisor.on("state", () => (heard += 1))
    off()
    await told.supervisor.start()
    expect(heard).toBe(0)
    expect(told.states).toEqual(["starting", "ready"])
  })
})

describe("options", () => {
  it.each([
    ["module", { module: "" }],
    ["module", { module: new URL("https://example.com/x.js") }],
    ["args", { args: [1] }],
    ["execArgv", { execArgv: "x" }],
    ["env", { env: [] }],
    ["cwd", { cwd: 1 }],
    ["recordFolder", { recordFolder: "" }],
    ["healthPath", { healthPath: "health" }],
    ["limits", { limits: null }],
    ["startMs", { limits: { startMs: -1 } }],
  ])("with a wrong %s are refused by name", (argument, options) => {
    expect(() => new SidecarSupervisor({ module: SIDECAR_BY_HAND, ...options } as never)).toThrow(
      expect.objectContaining({ details: { argument } }),
    )
  })
})
