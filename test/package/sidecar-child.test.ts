/*
 * The child's side of the supervisor's protocol, in processes that import the built package.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { describe, expect, it, onTestFinished } from "vitest"
import { electronLauncherOn } from "../../src/sidecar/electron-launcher.js"
import { nodeSystem } from "../../src/sidecar/process-system.js"
import { electronUtilityProcess, type ElectronHarm } from "../support/electron-utility-process.js"
import { isRunning } from "../support/processes.js"
import { ended, LONG, reached, SIDECAR_PROGRAM, sidecarArgs, supervise } from "../support/sidecars.js"

describe("a sidecar", () => {
  it("starts, leaves no token to others, and exits with 0 when its listener is done", async () => {
    const told = supervise({}, { module: SIDECAR_PROGRAM, args: sidecarArgs("done") })
    const current = await told.supervisor.start()
    const refused = await fetch(`${current.url}/api/health`, { headers: { authorization: "Bearer another" } })
    expect(refused.status).toBe(401)
    await told.supervisor.stop()
    expect(told.exits).toMatchObject([
      { expected: true, code: 0, escalation: "message", stderr: ["left in the environment: 0", "stop: stop"] },
    ])
  })

  it.each([
    ["without a listener", "none", 0],
    ["whose listener fails, which it says", "fail", 1],
    ["whose listener is not done in time", "late", 1],
  ])("%s exits all the same", async (_which, onStop, code) => {
    const told = supervise({}, { module: SIDECAR_PROGRAM, args: sidecarArgs(onStop) })
    await told.supervisor.start()
    await told.supervisor.stop()
    expect(told.exits).toMatchObject([{ code, escalation: "message" }])
    const said = told.lines.join("\n")
    expect(said.includes("Error: could not finish")).toBe(onStop === "fail")
  })

  it("that no supervisor started is told so", async () => {
    const variables = { TREESHOT_SIDECAR_TOKEN: "00", TREESHOT_SIDECAR_GENERATION: "1" }
    for (const [env, channel] of [
      [variables, "ignore"],
      [{}, "ipc"],
    ] as const) {
      const { said, child } = launch(["node", SIDECAR_PROGRAM, ...sidecarArgs("done")], env, channel)
      await expect.poll(() => child.exitCode, LONG).toBe(9)
      await expect.poll(said, LONG).toContain("no supervisor")
    }
  })

  it("ends when its channel closes, after its listener", async () => {
    const { said, child } = launch(["node", SIDECAR_PROGRAM, ...sidecarArgs("done")], VARIABLES, "ipc")
    await expect.poll(said, LONG).toContain("left")
    child.disconnect()
    await expect.poll(() => child.exitCode, LONG).toBe(0)
    await expect.poll(said, LONG).toContain("stop: parent-gone")
  })

  it.runIf(process.platform !== "win32")("ends when its parent has gone, though its channel is open", async () => {
    const script = 'node "$@" & echo "pid $!" >&2; wait'
    const args = ["sh", "-c", script, "sh", SIDECAR_PROGRAM, ...sidecarArgs("done")]
    const { said, child } = launch(args, VARIABLES, "ipc")
    await expect.poll(said, LONG).toContain("left")
    const pid = Number(/pid (\d+)/.exec(said())?.[1])
    expect(isRunning(pid)).toBe(true)
    child.kill("SIGKILL")
    await expect.poll(() => isRunning(pid), LONG).toBe(false)
    await expect.poll(said, LONG).toContain("stop: parent-gone")
    expect(child.connected).toBe(true)
  })
})

describe("under Electron's utilityProcess, a sidecar", () => {
  const harms: ElectronHarm[] = []
  const launcher = electronLauncherOn(nodeSystem, electronUtilityProcess(harms))

  it("gets ready, is asked to stop by its port, and its end is told once", async () => {
    const told = supervise({}, { module: SIDECAR_PROGRAM, args: sidecarArgs("done"), launcher })
    const current = await told.supervisor.start()
    await told.supervisor.stop()
    expect(told.exits).toMatchObject([
      {
        pid: current.pid,
        expected: true,
        code: 0,
        signal: undefined,
        stderr: ["left in the environment: 0", "stop: stop"],
      },
    ])
    expect(harms).toEqual([])
  })

  it("that is killed from outside has an exit code only, and another one follows", async () => {
    const told = supervise({}, { module: SIDECAR_PROGRAM, args: sidecarArgs("done"), launcher })
    const first = await told.supervisor.start()
    process.kill(first.pid, "SIGKILL")
    await ended(told, 1)
    expect(told.exits).toMatchObject([{ pid: first.pid, expected: false, code: 9, signal: undefined }])
    expect(told.exits[0]?.stderr).toEqual(["left in the environment: 0"])
    await reached(told.supervisor, "ready")
    expect(told.supervisor.current?.generation).toBe(2)
    expect(harms).toEqual([])
  })

  it("that cannot hear is killed, though Electron has no call for it", async () => {
    const limits = { stopMs: 50, terminateMs: 50 }
    const told = supervise({}, { module: SIDECAR_PROGRAM, args: sidecarArgs("done"), launcher, limits })
    const { pid } = await told.supervisor.start()
    process.kill(pid, "SIGSTOP")
    await told.supervisor.stop()
    expect(told.exits).toMatchObject([{ code: 9, escalation: "kill" }])
    expect(isRunning(pid)).toBe(false)
  })

  it("that is to end before it has spawned ends as soon as it has", async () => {
    const limits = { stopMs: 0, terminateMs: 300_000 }
    const told = supervise({}, { module: SIDECAR_PROGRAM, args: sidecarArgs("none"), launcher, limits })
    void told.supervisor.start()
    await told.supervisor.stop()
    expect(told.exits).toMatchObject([{ code: 15, escalation: "terminate", readyAt: undefined }])
  })

  it("that cannot be launched has failed, and says why", async () => {
    const electron = {
      fork: () => {
        throw new Error("the app is not ready")
      },
    }
    const told = supervise({}, { launcher: electronLauncherOn(nodeSystem, electron) })
    void told.supervisor.start()
    await ended(told, 1)
    expect(told.exits).toMatchObject([{ reason: "launch-failed", error: "the app is not ready", pid: undefined }])
  })
})

const VARIABLES = { TREESHOT_SIDECAR_TOKEN: "0".repeat(64), TREESHOT_SIDECAR_GENERATION: "1" }

/** A process with a channel to this one, or without; it does not outlive the test. */
function launch(
  [command = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  channel: "ipc" | "ignore",
): { readonly child: ChildProcess; said(): string } {
  const child = spawn(command === "node" ? process.execPath : command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe", channel],
  })
  let text = ""
  child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()))
  onTestFinished(() => void child.kill("SIGKILL"))
  return { child, said: () => text }
}
