import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { hostname, uptime } from "node:os"
import { describe, expect, test } from "vitest"
import { toOwner, type Owner } from "../../src/core/owner.js"
import { nodeOwner } from "../../src/platform/node/node-owner.js"
import { webOwner } from "../../src/platform/web/web-owner.js"

test("the owner on Linux is this process in terms that another one can check", async () => {
  const owner = await nodeOwner().current()
  expect(owner).toMatchObject({ host: hostname(), pid: process.pid })
  expect(owner.bootId).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim())
  expect(owner.pidNamespace).toBe(
    spawnSync("readlink", [`/proc/${process.pid}/ns/pid`])
      .stdout.toString()
      .trim(),
  )
})

test("the start time is the system's, whatever the program calls itself", async () => {
  const title = process.title
  process.title = "odd ) (name 1 2"
  try {
    const expected = spawnSync("sh", ["-c", `sed 's/.*) //' /proc/${process.pid}/stat | cut -d ' ' -f 20`])
    const { startTime } = await nodeOwner().current()
    expect(startTime).toMatch(/^\d+$/)
    expect(startTime).toBe(expected.stdout.toString().trim())
  } finally {
    process.title = title
  }
})

test("a page claims nothing that nobody can check", async () => {
  expect(await webOwner().current()).toEqual({})
})

describe("whether an owner is alive", () => {
  test("a process is while it runs, and is dead once it has ended, reaped or not", async () => {
    const source = nodeOwner()
    expect(await source.isAlive(await source.current())).toBe("alive")
    const child = spawn("sleep", ["1000"])
    const running = await ownerOf(child.pid as number)
    expect(await source.isAlive(running)).toBe("alive")
    // The shell becomes another program, which never reaps the shell's child.
    const shell = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], { stdio: ["ignore", "pipe", "ignore"] })
    const [told] = (await once(shell.stdout, "data")) as [Buffer]
    const zombie = Number(told.toString())
    await expect.poll(() => statOf(shell.pid as number), LONG).toContain("(sleep)")
    process.kill(zombie, "SIGKILL")
    await expect.poll(() => statOf(zombie), LONG).toMatch(/\) Z /)
    expect(await source.isAlive(await ownerOf(zombie))).toBe("dead")
    for (const each of [child, shell]) {
      each.kill("SIGKILL")
      await once(each, "close")
    }
    expect(await source.isAlive(running)).toBe("dead")
  })

  test("a later process with the same pid, and one from before the last start of the machine, are others", async () => {
    const source = nodeOwner()
    const own = await source.current()
    expect(await source.isAlive({ ...own, startTime: "1" })).toBe("dead")
    expect(await source.isAlive({ ...own, bootId: "another" })).toBe("dead")
  })

  test("where no start times are to be had, a process that is there is alive, unless the machine was started anew", async () => {
    const source = nodeOwner("/nowhere")
    const own = await source.current()
    expect(Object.keys(own).toSorted()).toEqual(["bootMs", "host", "pid"])
    expect(Math.abs((own.bootMs ?? 0) - (Date.now() - uptime() * 1000))).toBeLessThan(60_000)
    const other = { ...own, pid: process.ppid }
    expect(await source.isAlive(other)).toBe("alive")
    expect(await source.isAlive({ ...other, bootMs: (own.bootMs ?? 0) - 3_600_000 })).toBe("unknown")
    const { bootMs: _bootMs, ...withoutBoot } = other
    expect(await source.isAlive(withoutBoot)).toBe("unknown")
    const child = spawn("true")
    await once(child, "close")
    expect(await source.isAlive({ ...own, pid: child.pid as number })).toBe("dead")
  })

  test("what cannot be checked from here is unknown", async () => {
    const source = nodeOwner()
    const own = await source.current()
    const { pid: _pid, ...withoutPid } = own
    const { startTime: _startTime, ...withoutStart } = own
    const { host: _host, ...withoutHost } = own
    const { bootId: _bootId, ...withoutBoot } = own
    for (const owner of [
      {},
      { ...own, host: "another" },
      { ...own, host: "another", bootId: "another" },
      { ...own, pidNamespace: "pid:[1]" },
      { ...own, pid: 0 },
      { ...own, pid: -1 },
      { ...own, pid: 1.5 },
      withoutPid,
      withoutStart,
      withoutHost,
      withoutBoot,
    ])
      expect(await source.isAlive(owner), JSON.stringify(owner)).toBe("unknown")
  })

  test("a page can check nobody", async () => {
    expect(await webOwner().isAlive({ pid: process.pid })).toBe("unknown")
  })

  test("an owner from a file has only fields of the right type", () => {
    expect(toOwner({ host: "a", pid: 7, bootId: 1, startTime: null, more: "x" })).toEqual({ host: "a", pid: 7 })
    for (const value of [undefined, null, "x", 7, []]) expect(toOwner(value)).toEqual({})
  })
})

const LONG = { timeout: 60_000 }

function statOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, "utf8")
}

/** A process on this machine, as it would describe itself. */
async function ownerOf(pid: number): Promise<Owner> {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return {
    ...(await nodeOwner().current()),
    pid,
    startTime: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "",
  }
}
