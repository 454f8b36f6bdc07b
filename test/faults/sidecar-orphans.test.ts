/*
 * What becomes of a sidecar whose parent ends: by itself, or by SIGKILL. The parents are processes that import the built
 * package.
 */
import { spawn, type ChildProcess } from "node:child_process"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { isRunning } from "../support/processes.js"
import {
  LONG,
  SIDECAR_BY_HAND,
  SIDECAR_ENTRY,
  SIDECAR_PROGRAM,
  sidecarArgs,
  supervise,
  type SidecarRule,
} from "../support/sidecars.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** Starts a sidecar, prints its pid and what it says, and exits when its stdin ends. */
const PARENT = `
const [entry, options] = process.argv.slice(1)
const { SidecarSupervisor } = await import(entry)
const supervisor = new SidecarSupervisor(JSON.parse(options))
supervisor.on("stderr", ({ line }) => console.log(line))
const { pid } = await supervisor.start()
console.log("ready " + pid)
process.stdin.on("end", () => process.exit(0)).resume()
`

describe("a parent that is killed with SIGKILL", () => {
  it("has no sidecar any more", async () => {
    const { parent, pid } = await parentOf({ module: SIDECAR_PROGRAM, args: sidecarArgs("done") })
    parent.kill("SIGKILL")
    await expect.poll(() => isRunning(pid), LONG).toBe(false)
  })
})

describe.runIf(process.platform !== "win32")("a parent that exits", () => {
  it("takes the whole group with it, whoever does not look after himself", async () => {
    const { parent, pid, lines } = await parentOf(byHand({ onGone: "ignore", starts: true }))
    const grandchild = Number(lines[0])
    expect(isRunning(grandchild)).toBe(true)
    parent.stdin?.end()
    await expect.poll(() => isRunning(pid), LONG).toBe(false)
    await expect.poll(() => isRunning(grandchild), LONG).toBe(false)
  })
})

describe.runIf(process.platform === "linux")("a sidecar that an earlier run has left", () => {
  it("is ended before the first start, by its note, and each note is taken back", async () => {
    const { folder, pid } = await left()
    expect(notes(folder)).toHaveLength(1)
    expect(statSync(notes(folder)[0] ?? "").mode & 0o777).toBe(0o600)
    const told = supervise({}, { recordFolder: folder })
    await told.supervisor.start()
    expect(isRunning(pid)).toBe(false)
    await expect.poll(() => notes(folder), LONG).toHaveLength(1)
    await told.supervisor.stop()
    await expect.poll(() => notes(folder), LONG).toEqual([])
  })

  it("is ended by SIGKILL when it does not heed SIGTERM", async () => {
    const { folder, pid } = await left({ onTerm: "ignore" })
    await supervise({}, { recordFolder: folder }).supervisor.start()
    expect(isRunning(pid)).toBe(false)
  })

  it.each([
    ["the token", /"tokenHash":"./, '"tokenHash":"x', 1],
    ["the start time", /"startTime":"/, '"startTime":"9', 0],
  ])("is left alone when %s is another one's", async (_what, found, put, kept) => {
    const { folder, pid } = await left()
    const [note = ""] = notes(folder)
    writeFileSync(note, readFileSync(note, "utf8").replace(found, put))
    const told = supervise({}, { recordFolder: folder })
    await told.supervisor.start()
    expect(isRunning(pid)).toBe(true)
    await told.supervisor.stop()
    await expect.poll(() => notes(folder), LONG).toHaveLength(kept)
  })

  it("is left alone when its parent runs", async () => {
    const folder = await temporaryFolder()
    const { pid, parent } = await parentOf({ ...byHand({}), recordFolder: folder })
    const told = supervise({}, { recordFolder: folder })
    await told.supervisor.start()
    expect(isRunning(pid)).toBe(true)
    expect(parent.exitCode).toBeNull()
  })

  it("may have a note that cannot be read, which goes", async () => {
    const folder = await temporaryFolder()
    for (const [at, text] of ["", "{}", "null", '{"child":{"pid":-1}}'].entries())
      writeFileSync(join(folder, `sidecar-000000000000000${at}.json`), text)
    writeFileSync(join(folder, "another.json"), "{}")
    const told = supervise({}, { recordFolder: folder })
    await told.supervisor.start()
    await told.supervisor.stop()
    await expect.poll(() => readdirSync(folder), LONG).toEqual(["another.json"])
  })

  it("does not matter where notes cannot be written", async () => {
    const told = supervise({}, { recordFolder: "/dev/null/notes" })
    expect(await told.supervisor.start()).toMatchObject({ generation: 1 })
  })
})

/** A sidecar whose parent was killed, and which goes on. */
async function left(rule: SidecarRule = {}): Promise<{ readonly folder: string; readonly pid: number }> {
  const folder = await temporaryFolder()
  const { parent, pid } = await parentOf({ ...byHand({ ...rule, onGone: "ignore" }), recordFolder: folder })
  await expect.poll(() => notes(folder), LONG).toHaveLength(1)
  parent.kill("SIGKILL")
  await expect.poll(() => parent.signalCode, LONG).toBe("SIGKILL")
  expect(isRunning(pid)).toBe(true)
  return { folder, pid }
}

function notes(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"))
  return names.map((name) => join(folder, name))
}

function byHand(rule: SidecarRule): object {
  return { module: SIDECAR_BY_HAND, args: [JSON.stringify({ "*": rule })] }
}

/** Another process with a sidecar that is ready. Neither outlives the test. */
async function parentOf(
  options: object,
): Promise<{ readonly parent: ChildProcess; readonly pid: number; readonly lines: readonly string[] }> {
  const args = ["--input-type=module", "-e", PARENT, SIDECAR_ENTRY, JSON.stringify(options)]
  const parent = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] })
  let text = ""
  parent.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()))
  onTestFinished(() => void parent.kill("SIGKILL"))
  await expect.poll(() => text, LONG).toMatch(/^ready \d+$/m)
  const pid = Number(/^ready (\d+)$/m.exec(text)?.[1])
  onTestFinished(() => {
    if (isRunning(pid)) process.kill(pid, "SIGKILL")
  })
  return { parent, pid, lines: text.split("\n") }
}
