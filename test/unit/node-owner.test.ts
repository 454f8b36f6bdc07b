import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { hostname } from "node:os"
import { expect, test } from "vitest"
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
