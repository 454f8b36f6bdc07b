/*
 * What the native backend makes of a reader that goes wrong, and of a disk that does.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test, vi } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import type { ObjectSink, CapturedTree } from "../../src/core/tree-capture.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { nativeBackend } from "../../src/sidecar/native-capture.js"
import { faultyFileSystem, type FileSystemCall } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { gitThat } from "../support/git-that.js"
import { onDisk, type StoreUnderTest } from "../support/store-under-test.js"
import { temporaryFolder } from "../support/temporary-folder.js"

describe.runIf(gitIsThere())("a stream", () => {
  test.each([
    ["fewer", 7],
    ["more", 5],
  ])("with %s bytes than were said is refused, and nothing of it is stored", async (_relation, sizeBytes) => {
    const stored = await storedBy(async (sink) => {
      await expect(sink.addStream(sizeBytes, pieces("abc", "def"))).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
        details: { argument: "chunks" },
      })
      for (const content of ["abcdef\0", "abcdef", "abcde"]) expect(sink.has(oidOf(content))).toBe(false)
      expect(await sink.addStream(5, pieces("af", "ter"))).toBe(oidOf("after"))
    })
    expect(stored).toEqual([oidOf("after")])
  })

  test("that fails rejects with what it threw, and nothing of it is stored", async () => {
    const failure = new Error("unreadable")
    const stored = await storedBy(async (sink) => {
      const failing = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("abc")
        throw failure
      }
      await expect(sink.addStream(6, failing())).rejects.toBe(failure)
      expect(sink.has(oidOf("abc\0\0\0"))).toBe(false)
      await sink.add("blob", Buffer.from("after"), oidOf("after"))
    })
    expect(stored).toEqual([oidOf("after")])
  })

  test("may use one buffer for all of its chunks", async () => {
    const buffer = Buffer.alloc(256 * 1024)
    const reusing = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 1; i <= 8; i++) {
        yield buffer.fill(i)
        buffer.fill(255)
      }
    }
    const content = Buffer.concat(Array.from({ length: 8 }, (_, i) => Buffer.alloc(buffer.length, i + 1)))
    const stored = await storedBy(async (sink) => {
      expect(await sink.addStream(content.length, reusing())).toBe(oidOf(content))
    })
    expect(stored).toEqual([oidOf(content)])
  })
})

test.runIf(gitIsThere())("maintenance leaves a capture's own gitdir alone while it is under way", async () => {
  const under = await changedOnce()
  const signs = await temporaryFolder()
  await gitThat(
    `case "$*" in *fast-import*) : > "${signs}/begun"; until [ -e "${signs}/go" ]; do sleep 0.02; done;; esac`,
  )
  const store = await under.open(NATIVE)
  const capturing = store.capture()
  await vi.waitUntil(() => existsSync(join(signs, "begun")), { timeout: 20_000 })
  const other = await under.open()
  await other.maintain()
  expect(readdirSync(join(under.gitdir, "tmp"))).toEqual([expect.stringMatching(/\.native$/)])
  writeFileSync(join(signs, "go"), "")
  expect((await capturing).changed).toBe(true)
})

describe.runIf(gitIsThere())("on a disk in trouble", () => {
  test("a full one is NO_SPACE wherever the capture's own gitdir is made, and nothing is left", async () => {
    const calls = await callsOnScratch()
    const taking = calls.filter(({ kind }) => ["makeFolder", "open", "file.write", "file.close"].includes(kind))
    expect(taking.length).toBeGreaterThan(6)
    for (const [at, { kind, path }] of taking.entries()) {
      const call = taking.slice(0, at + 1).filter((other) => other.kind === kind).length
      const under = await changedOnce()
      const store = await under.openOn(
        (inner) => faultyFileSystem(inner, [{ call, kind, path: SCRATCH, how: "fail", errno: "ENOSPC" }]),
        NATIVE,
      )
      await expect(store.capture(), `${kind} ${path}`).rejects.toMatchObject({ code: "NO_SPACE" })
      expect(readdirSync(join(under.gitdir, "tmp"))).toEqual([])
      expect(under.leftovers()).toEqual([])
    }
  })

  test("what cannot be removed fails no capture, and maintenance removes it at once", async () => {
    for (const kind of ["list", "unlink", "removeFolder"] as const) {
      const under = await changedOnce()
      const store = await under.openOn(
        (inner) => faultyFileSystem(inner, [{ call: 1, kind, path: SCRATCH, how: "fail", errno: "EBUSY" }]),
        NATIVE,
      )
      expect((await store.capture()).changed).toBe(true)
      expect(readdirSync(join(under.gitdir, "tmp"))).toEqual([expect.stringMatching(/^pack-[0-9a-f]{40}\.native$/)])
      await store.maintain()
      expect(readdirSync(join(under.gitdir, "tmp"))).toEqual([])
    }
  })

  test.each(["fast-import", "pack-objects"])(
    "one that is full for git %s is GIT_FAILED, with what git said, and nothing is left",
    async (command) => {
      const under = await changedOnce()
      under.write("large", noise(600_000))
      await gitThat(`case "$*" in *"${command}"*) trap "" XFSZ; ulimit -f 64;; esac`)
      const store = await under.open(NATIVE)
      const before = under.refs()
      const error: unknown = await store.capture().catch((reason: unknown) => reason)
      expect(error).toMatchObject({
        code: "GIT_FAILED",
        details: { stderr: expect.stringContaining("File too large") },
      })
      expect(under.refs()).toEqual(before)
      expect(readdirSync(join(under.gitdir, "tmp"))).toEqual([])
      expect(under.leftovers()).toEqual([])
    },
  )
})

const NATIVE = { backend: "native" } as const
const SCRATCH = ".native"

/** The objects that the native backend hands over when a reader does `work` with its sink. */
async function storedBy(work: (sink: ObjectSink) => Promise<void>): Promise<string[]> {
  const folder = await temporaryFolder()
  const listed: string[] = []
  const captured: CapturedTree = {
    tree: oidOf("unused"),
    trees: new Map(),
    manifest: { skipped: [], folders: [], permissions: [] } as never,
    stats: { filesScanned: 0, filesRead: 0, bytesRead: 0 },
  }
  mkdirSync(join(folder, "objects"))
  const reader = {
    async capture(_request: unknown, sink: ObjectSink): Promise<CapturedTree> {
      await work(sink)
      return captured
    },
  }
  const refuse = (): never => expect.fail("only a pack belongs here")
  const backend = nativeBackend(await nodePlatform()).capture(reader as never, { objects: join(folder, "objects") })
  await backend.capture(
    { isTracked: async () => false, base: undefined },
    {
      has: () => false,
      takes: "entries",
      addPacked: refuse,
      add: refuse,
      addStream: refuse,
      addTrees: refuse,
      packs: {
        temporary: join(folder, "capture"),
        async addPack(path: string) {
          const shown = execFileSync("git", ["show-index"], { input: execFileSync("cat", [`${path}.idx`]) }).toString()
          listed.push(...(shown.match(/[0-9a-f]{40}/g) ?? []))
        },
      },
    },
  )
  expect(readdirSync(folder)).toEqual(["objects"])
  return listed
}

/** What a capture asks of the file system for its own gitdir. */
async function callsOnScratch(): Promise<FileSystemCall[]> {
  const under = await changedOnce()
  const calls: FileSystemCall[] = []
  const store = await under.openOn(
    (inner) => faultyFileSystem(inner, [], (call, make) => (calls.push(call), make())),
    NATIVE,
  )
  await store.capture()
  return calls.filter(({ path }) => path.includes(SCRATCH))
}

async function changedOnce(): Promise<StoreUnderTest> {
  const under = await onDisk()
  under.write("kept", "kept")
  const store = await under.open()
  await store.capture()
  under.write("new", "new")
  return under
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

function oidOf(content: string | Uint8Array): Oid {
  return git(["hash-object", "--stdin"], { input: content }).text.trim() as Oid
}

/** Bytes that do not get smaller. */
function noise(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes)
  let state = 1
  for (let i = 0; i < sizeBytes; i++) bytes[i] = (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24
  return bytes
}
