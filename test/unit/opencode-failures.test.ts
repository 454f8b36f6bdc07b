import { existsSync, promises, rmSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { openStore } from "../../src/index.js"
import { carryOut } from "../../src/opencode/carry-out.js"
import { createSnapshot } from "../../src/opencode/index.js"
import { track } from "../../src/opencode/track.js"
import { gitIsThere } from "../support/git.js"
import { gitThat } from "../support/git-that.js"
import { CALLS_BACKENDS, startCalls, type CallsUnderTest } from "../support/snapshot-calls.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const DAY_MS = 24 * 60 * 60 * 1000

function toldCodes({ told }: CallsUnderTest): string[] {
  return told.map(({ call, code }) => `${call} ${code}`)
}

/** The system's files, of which those named "secret" cannot be opened. */
const withSecrets = {
  promises: {
    ...promises,
    open: async (path: string, ...others: []) => {
      if (path.endsWith("/secret")) throw Object.assign(new Error("EACCES: refused"), { code: "EACCES" })
      return promises.open(path, ...others)
    },
  },
}

it("what a capture could not read is told once, and the hash is given; what is left out by its size is not", async () => {
  const place = await startCalls()
  for (const path of ["a", "secret"]) place.write(path, "one")
  place.write("large", Buffer.alloc(3 << 20))
  const store = await openStore({ worktree: place.root, gitdir: place.gitdir, fs: withSecrets as never })
  onTestFinished(() => store.close())
  const told: unknown[] = []
  const tell = (error: unknown): void => void told.push(error)
  for (const ms of [0, DAY_MS]) {
    told.length = 0
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms })
    onTestFinished(() => void vi.useRealTimers())
    expect(await track(store, tell, new AbortController().signal)).toMatch(/^[0-9a-f]{40}$/)
    expect(told).toMatchObject([
      { code: "CAPTURE_INCOMPLETE", details: { paths: [{ path: "secret", reason: "unreadable" }] } },
    ])
  }
})

describe.each(CALLS_BACKENDS)("failures, %s", (backend) => {
  it("wrong arguments are told as INVALID_ARGUMENT, and what is right beside them is done", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("ok", "one")
    const hash = (await calls.track()) as string
    place.write("ok", "two")
    const revert = calls.revert as (patches: unknown) => Promise<void>
    for (const patches of [undefined, [null], [{}], [{ hash, files: 5 }], [{ hash: 5, files: [] }]]) {
      await revert(patches)
      expect(toldCodes(place)).toEqual(["revert INVALID_ARGUMENT"])
      place.told.length = 0
    }
    await revert([null, { hash, files: [5, join(place.root, "ok")] }])
    expect(toldCodes(place)).toEqual(["revert INVALID_ARGUMENT", "revert INVALID_ARGUMENT"])
    expect(place.read("ok")).toBe("one")
    place.told.length = 0
    for (const wrong of [undefined, null, 5, {}, Symbol("hash")] as never[]) {
      expect((await calls.patch(wrong)).files).toEqual([])
      expect(await calls.diff(wrong)).toBe("")
      expect(await calls.diffFull(hash, wrong)).toEqual([])
      await calls.restore(wrong)
      expect(toldCodes(place)).toEqual(
        ["patch", "diff", "diffFull", "restore"].map((call) => `${call} INVALID_ARGUMENT`),
      )
      place.told.length = 0
    }
  })

  it("a gitdir that was removed is made again by the next call", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const hash = await calls.track()
    rmSync(join(place.scratch, "snapshot"), { recursive: true })
    await calls.cleanup()
    expect(existsSync(place.gitdir)).toBe(false)
    expect(await calls.track()).toBe(hash)
    expect(existsSync(join(place.gitdir, "objects"))).toBe(true)
    rmSync(place.gitdir, { recursive: true })
    await place.create().track()
    place.write("a", "two")
    expect(await calls.track()).toMatch(/^[0-9a-f]{40}$/)
    expect((await calls.patch(hash as string)).files).toEqual([join(place.root, "a")])
    expect(place.told).toEqual([])
  })

  it("a work tree that is gone is told as a SnapshotError by every call", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const hash = (await calls.track()) as string
    rmSync(place.root, { recursive: true })
    await calls.track()
    await calls.patch(hash)
    await calls.restore(hash)
    for (const { error } of place.told) expect(error).toMatchObject({ name: "SnapshotError" })
    expect(place.told.length).toBeGreaterThan(0)
  })
})

describe("closing", () => {
  it.runIf(gitIsThere())("does not wait for a git that hangs: the capture ends and tells of CLOSED", async () => {
    const place = await startCalls("native")
    const calls = place.create()
    place.write("a", "one")
    await calls.track()
    const pids = await temporaryFolder()
    vi.stubEnv("PIDS", pids)
    await gitThat(`case "$*" in *fast-import*) echo $$ > "$PIDS/pid"; exec sleep 600;; esac`)
    place.write("a", "two")
    const tracked = calls.track()
    const later = calls.patch("0123456789012345678901234567890123456789")
    await vi.waitUntil(() => existsSync(join(pids, "pid")))
    await calls.close()
    expect(await tracked).toBeUndefined()
    expect((await later).files).toEqual([])
    expect(toldCodes(place)).toEqual(["track CLOSED", "patch CLOSED"])
  })

  it.runIf(gitIsThere())(
    "does not wait for the safety snapshot of a restore that has changed nothing yet",
    async () => {
      const place = await startCalls("native")
      const calls = place.create()
      place.write("a", "one")
      const hash = (await calls.track()) as string
      const pids = await temporaryFolder()
      vi.stubEnv("PIDS", pids)
      await gitThat(`case "$*" in *fast-import*) echo $$ > "$PIDS/pid"; exec sleep 600;; esac`)
      place.write("a", "two")
      const restored = calls.restore(hash)
      await vi.waitUntil(() => existsSync(join(pids, "pid")))
      await calls.close()
      await restored
      expect(toldCodes(place)).toEqual(["restore CLOSED"])
      expect(place.read("a")).toBe("two")
    },
  )
})

it.each([
  ["stage", "two"],
  ["write", "one"],
] as const)("closing at the first %s of a restore leaves files that are all of text %s", async (at, text) => {
  const place = await startCalls()
  const names = Array.from({ length: 20 }, (_, i) => `file-${i}`)
  for (const name of names) place.write(name, "one")
  const store = await place.openStore()
  const { snapshot } = await store.capture()
  for (const name of names) place.write(name, "two")
  const closing = new AbortController()
  store.on("progress", ({ phase }) => {
    if (phase === at) closing.abort(new Error("closing"))
  })
  const told: unknown[] = []
  const ended = carryOut(store, await store.plan({ to: snapshot.id }), (error) => told.push(error), closing.signal)
  await (at === "stage" ? expect(ended).rejects.toThrow("closing") : ended)
  expect(names.map(place.read)).toEqual(names.map(() => text))
  expect(told).toEqual([])
})

describe("cleaning up", () => {
  it("without a gitdir makes no store, and cleans the one that this object has opened", async () => {
    const place = await startCalls()
    const calls = createSnapshot({ directory: place.root })
    onTestFinished(() => calls.close())
    await calls.cleanup()
    const stores = join(process.env["XDG_DATA_HOME"] as string, "treeshot", "stores")
    expect(existsSync(stores)).toBe(false)
    place.write("a", "one")
    await calls.track()
    expect(existsSync(stores)).toBe(true)
    await calls.cleanup()
  })

  it("tells when it cannot look whether there is a gitdir", async () => {
    const place = await startCalls()
    const loop = join(place.scratch, "loop")
    symlinkSync("loop", loop)
    await place.create({ gitdir: join(loop, "gitdir") }).cleanup()
    expect(place.told).toMatchObject([{ call: "cleanup", code: "IO_FAILED", error: { details: { errno: "ELOOP" } } }])
  })

  it.each([0.7, 1.1, 2.3, 1e-9, 1e300, Number.MAX_VALUE])("keeps %d days without a failure", async (keepDays) => {
    const place = await startCalls()
    const calls = place.create({ keepDays })
    place.write("a", "one")
    const first = (await calls.track()) as string
    place.write("a", "two")
    const second = (await calls.track()) as string
    vi.useFakeTimers({
      toFake: ["Date"],
      now: Date.now() + keepDays * DAY_MS > 8e15 ? 8e15 : Date.now() + keepDays * DAY_MS,
    })
    onTestFinished(() => void vi.useRealTimers())
    await calls.cleanup()
    expect(place.told).toEqual([])
    expect(await calls.diffFull(first, second)).toHaveLength(1)
  })
})

describe("options", () => {
  it("of the wrong form are refused at once", () => {
    for (const [name, value] of [
      ["backend", "other"],
      ["newFileLimitBytes", 1.5],
      ["newFileLimitBytes", -1],
      ["durability", "none"],
      ["enabled", "yes"],
      ["enabled", null],
      ["onError", "log"],
      ["allowAnyRoot", 1],
      ["keepDays", "7"],
    ] as const)
      expect(() => createSnapshot({ directory: "/a", [name]: value } as never), name).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", details: { argument: name } }),
      )
    expect(() => createSnapshot({ directory: "/a", other: 1 } as never)).not.toThrow()
  })

  it("allowAnyRoot takes a home folder", async () => {
    const place = await startCalls()
    vi.stubEnv("HOME", place.root)
    place.write("a", "one")
    expect(await place.create().track()).toBeUndefined()
    expect(toldCodes(place)).toEqual(["track ROOT_REFUSED"])
    expect(await place.create({ allowAnyRoot: true }).track()).toMatch(/^[0-9a-f]{40}$/)
  })

  it("an async onError that rejects goes by", async () => {
    const place = await startCalls()
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on("unhandledRejection", note)
    onTestFinished(() => void process.off("unhandledRejection", note))
    const onError = (async () => Promise.reject(new Error("from the listener"))) as () => void
    expect(await place.create({ directory: join(place.root, "missing"), onError }).track()).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(unhandled).toEqual([])
  })
})
