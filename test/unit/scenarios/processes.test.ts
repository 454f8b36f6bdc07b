import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import type { Progress } from "../../../src/index.js"
import { git, gitIsThere } from "../../support/git.js"
import { onDisk, type StoreUnderTest } from "../../support/store-under-test.js"
import { watchedFileSystem } from "../../support/watched-file-system.js"

const DIST = fileURLToPath(new URL("../../../dist/index.js", import.meta.url))

describe("scenario 10: 8 processes capture one work tree 8 times each", () => {
  const WORK = `
    const [dist, worktree, gitdir, name] = process.argv.slice(1)
    const { openStore } = await import(dist)
    const { writeFileSync } = await import("node:fs")
    const store = await openStore({ worktree, gitdir })
    const ids = []
    for (let i = 0; i < 8; i++) {
      writeFileSync(worktree + "/" + name, name + " step " + i)
      const { snapshot, changed } = await store.capture({ label: name + " step " + i })
      if (!changed) throw new Error("not a snapshot of its own")
      ids.push(snapshot.id)
    }
    await store.close()
    console.log(JSON.stringify(ids))`

  test("there are 64 valid snapshots then, none lost, each with what its process had written", async () => {
    const place = await onDisk()
    for (let i = 0; i < 20; i++) place.write(`sub/file-${i}`, `content ${i}`)
    const names = Array.from({ length: 8 }, (_, i) => `process-${i}`)
    const made = await Promise.all(names.map((name) => captureIn(place, name)))
    const ids = made.flat()
    expect(new Set(ids).size).toBe(64)
    const store = await place.open()
    const listed = await store.list({ kind: "all" })
    expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    for (const { id, label } of listed) {
      const text = async (path: string): Promise<string> =>
        Buffer.from((await store.readFile(id, path)) ?? []).toString()
      expect(await text(label?.split(" ")[0] ?? "")).toBe(label)
      expect(await text("sub/file-19")).toBe("content 19")
    }
    expect(place.leftovers()).toEqual([])
    if (gitIsThere()) {
      const fsck = git(["--git-dir", place.gitdir, "fsck", "--strict", "--no-dangling"], { anyStatus: true })
      expect([fsck.status, fsck.text]).toEqual([0, ""])
      expect(git(["--git-dir", place.gitdir, "for-each-ref", "refs/snapshots/"]).text.trim().split("\n")).toHaveLength(
        64,
      )
    }
  })

  async function captureIn(place: StoreUnderTest, name: string): Promise<string[]> {
    const args = ["--input-type=module", "--eval", WORK, DIST, place.root, place.gitdir, name]
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    let complaint = ""
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()))
    const [status] = (await once(child, "close")) as [number]
    expect({ status, complaint }).toEqual({ status: 0, complaint: "" })
    return JSON.parse(output) as string[]
  }
})

describe("scenario 13: many untracked files and an abort", () => {
  test("the capture ends with the signal's reason and leaves no snapshot, pack, lease or temporary file", async () => {
    const place = await onDisk({ durability: "process" })
    for (let i = 0; i < 1500; i++) place.write(`folder-${i % 30}/file-${i}`, `content ${i}`)
    const store = await place.open()
    const before = place.stored()
    for (const at of [1, 200, 1400]) {
      const controller = new AbortController()
      const reason = new Error(`enough at ${at}`)
      let last = 0
      const onProgress = ({ done }: Progress): void => {
        last = done
        if (done === at) controller.abort(reason)
      }
      await expect(store.capture({ signal: controller.signal, onProgress })).rejects.toBe(reason)
      // It stops soon: what is under way ends, and no more is begun.
      if (at < 1000) expect(last).toBeLessThan(1000)
      expect(place.stored()).toEqual(before)
    }
    const { snapshot, stats } = await store.capture()
    expect(stats.filesScanned).toBe(1500)
    expect(await store.changes(snapshot.id)).toEqual([])
    expect(place.leftovers()).toEqual([])
  })

  test("an abort while the objects are being published ends in a snapshot or in the signal's reason, never in between", async () => {
    for (const target of ["pack-", "leases/", "refs/snapshots/"]) {
      const place = await onDisk({ durability: "process" })
      place.write("a", "x")
      const controller = new AbortController()
      const reason = new Error("enough")
      const store = await place.openOn((inner) =>
        watchedFileSystem(inner, (call, path) => {
          if (call !== "lstat" && path.startsWith(place.gitdir) && path.includes(target)) controller.abort(reason)
        }),
      )
      const result: unknown = await store.capture({ signal: controller.signal }).catch((error: unknown) => error)
      expect(controller.signal.aborted).toBe(true)
      expect(await store.list()).toHaveLength(result === reason ? 0 : 1)
      expect(place.leftovers()).toEqual([])
    }
  })
})
