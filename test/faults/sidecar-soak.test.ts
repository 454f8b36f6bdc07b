/*
 * A supervisor in random orders of all that can be asked of it and can happen to its sidecars. The processes are real, and
 * exit when they do; time passes on a clock of the test's own.
 */
import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import type { ExitRecord } from "../../src/sidecar/exit-record.js"
import type { CurrentSidecar } from "../../src/sidecar/sidecar-state.js"
import { SidecarSupervisor } from "../../src/sidecar/supervisor.js"
import { FakeClock } from "../support/fake-clock.js"
import { seeded } from "../support/interleave.js"
import { isRunning } from "../support/processes.js"
import { shellLauncher, type ShellSidecar } from "../support/shell-launcher.js"

const ORDERS = 200
const STEPS = 12
/** So many orders at a time. */
const LANES = 4

test.runIf(process.platform !== "win32")(
  `in ${ORDERS} random orders of start, crash, replace, stop and hang, there are never two current ones, a late exit changes nothing, and no process is left`,
  { timeout: 600_000 },
  async () => {
    let next = 0
    const seen = new Set<string>()
    const lane = async (): Promise<void> => {
      while (next < ORDERS) await order(next++, seen)
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    // Everything has happened in some of them.
    expect(TO_BE_SEEN.filter((word) => !seen.has(word))).toEqual([])
  },
)

/** So that a sidecar that ends or hangs is not soon replaced or stopped. */
const TROUBLES = [
  "start",
  "crash",
  "crash any",
  "exit",
  "hang",
  "pass a moment",
  "pass a while",
  "pass a while",
  "wait",
]

/** What each run comes upon many times. */
const TO_BE_SEEN = [
  ...["starting", "ready", "unhealthy", "backoff", "stopping", "stopped"],
  ...["late", "none", "message", "terminate", "kill", "stop", "replace", "unasked"],
  ...["expected", "restart"],
]

/** A sidecar's ways: some never get ready, some do not hear a stop, some not even SIGTERM. */
const STUBBORN = "trap '' TERM; "
const READY = "echo ready; "
const HEARING = 'while read -r word code; do case $word in stop) exit 0;; exit) exit "$code";; esac; done'
const DEAF = 'while read -r word code; do case $word in exit) exit "$code";; esac; done'
const SCRIPTS: readonly string[] = [
  READY + HEARING,
  READY + HEARING,
  READY + HEARING,
  READY + DEAF,
  STUBBORN + READY + DEAF,
  HEARING,
  "exit 3",
]

async function order(seed: number, seen: Set<string>): Promise<void> {
  const random = seeded(seed)
  const clock = new FakeClock()
  const launched: ShellSidecar[] = []
  const hung = new Set<string>()
  const supervisor = new SidecarSupervisor({
    module: SCRIPTS.map(
      (script, at) => `[ $((TREESHOT_SIDECAR_GENERATION * ${7 + seed} % 7)) = ${at} ] && { ${script}; exit; }`,
    ).join("\n"),
    clock,
    random: () => random(1000) / 1000,
    launcher: shellLauncher((sidecar) => launched.push(sidecar)),
    askHealth: ({ token }) => (hung.has(token) ? new Promise(() => {}) : Promise.resolve(true)),
  })
  const log: string[] = []
  const currents: (CurrentSidecar | undefined)[] = []
  const exits: ExitRecord[] = []
  supervisor.on("state", ({ state }) => log.push(state) && seen.add(state))
  supervisor.on("current", (current) => currents.push(current))
  supervisor.on("exit", (record) => {
    exits.push(record)
    for (const word of wordsOf(record)) seen.add(word)
  })
  const asked: Promise<unknown>[] = []

  const pick = (): ShellSidecar | undefined => {
    const running = launched.filter(({ pid }) => isRunning(pid))
    return running[random(running.length)]
  }
  const currentOne = (): ShellSidecar | undefined => launched.find(({ token }) => token === supervisor.current?.token)
  const hang = (sidecar: ShellSidecar | undefined): void => {
    if (sidecar === undefined || !isRunning(sidecar.pid)) return
    hung.add(sidecar.token)
    process.kill(sidecar.pid, "SIGSTOP")
  }
  const crash = (sidecar: ShellSidecar | undefined): void => {
    if (sidecar !== undefined && isRunning(sidecar.pid)) process.kill(sidecar.pid, "SIGKILL")
  }
  const steps: Readonly<Record<string, () => unknown>> = {
    start: () => asked.push(supervisor.start().catch(() => {})),
    replace: () => asked.push(supervisor.replace().catch(() => {})),
    stop: () => asked.push(supervisor.stop()),
    crash: () => crash(currentOne()),
    "crash any": () => crash(pick()),
    exit: () => currentOne()?.exit(random(3)),
    hang: () => hang(currentOne()),
    "hang any": () => hang(pick()),
    async "hang for long"() {
      hang(currentOne())
      await clock.pass(16_000)
    },
    async "crash and come back"() {
      crash(currentOne())
      await pause(10)
      await clock.pass(31_000)
      await pause(10)
    },
    wake() {
      for (const { pid, token } of launched) if (hung.delete(token) && isRunning(pid)) process.kill(pid, "SIGCONT")
    },
    "pass a moment": () => clock.pass(random(1000)),
    "pass a while": () => clock.pass(random(40_000)),
    wait: () => pause(20),
  }
  // Every other order is one of troubles.
  const often = seed % 2 === 0 ? ["start", "replace", "wait", "wait", "pass a moment"] : TROUBLES
  const names = [...(seed % 2 === 0 ? Object.keys(steps) : []), ...often]

  const check = (): void => {
    const why = `order ${seed}: ${log.join(", ")}`
    const generations = currents.flatMap((current) => current?.generation ?? [])
    // Never two: what was current once never is again, and what is told is what is there.
    expect(generations, why).toEqual([...new Set(generations)].toSorted((a, b) => a - b))
    expect(supervisor.current, why).toEqual(currents.at(-1))
    const isThere = supervisor.state === "ready" || supervisor.state === "unhealthy"
    expect(supervisor.current !== undefined, why).toBe(isThere)
    // One that was replaced was followed by a newer one at once: its own end cleared nothing.
    for (const { generation, late } of exits) {
      const at = currents.findIndex((current) => current?.generation === generation)
      if (late && at >= 0) expect(currents[at + 1]?.generation, why).toBeGreaterThan(generation)
    }
    expect(new Set(exits.map(({ generation }) => generation)).size, why).toBe(exits.length)
  }

  try {
    asked.push(supervisor.start().catch(() => {}))
    for (let step = 0; step < STEPS; step++) {
      const name = names[random(names.length)] ?? ""
      log.push(name)
      await steps[name]?.()
      check()
      await pause(random(4))
      check()
    }
    log.push("the last stop")
    let isStopped = false
    const stopped = supervisor.stop().then(() => (isStopped = true))
    for (const until = Date.now() + 60_000; !isStopped && Date.now() < until; await pause(2)) await clock.pass(500)
    await stopped
    check()
    const why = `order ${seed}: ${log.join(", ")}`
    await Promise.all(asked)
    expect(supervisor.state, why).toBe("stopped")
    expect(
      launched.filter(({ pid }) => isRunning(pid)),
      why,
    ).toEqual([])
    expect(exits.map(({ pid }) => pid).toSorted(), why).toEqual(launched.map(({ pid }) => pid).toSorted())
    expect(clock.duesMs, why).toEqual([])
    expect(process.listenerCount("exit"), why).toBeLessThan(10)
  } finally {
    for (const { pid } of launched) if (isRunning(pid)) process.kill(-pid, "SIGKILL")
  }
}

function wordsOf({ late, escalation, reason, restart }: ExitRecord): string[] {
  const because = restart.action === "none" ? restart.because : restart.action
  return [...(late ? ["late"] : []), escalation, reason, because]
}
