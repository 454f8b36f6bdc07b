import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { EMPTY_TREE } from "../../../src/core/oid.js"
import type { CaptureResult, Progress, RestoreReport } from "../../../src/index.js"
import { faultyFileSystem, type CallKind, type FaultyFileSystem } from "../../support/faulty-file-system.js"
import { expectError, onDisk, onMemory, type StoreUnderTest } from "../../support/store-under-test.js"
import { watchedFileSystem } from "../../support/watched-file-system.js"

describe("scenario 1: a file cannot be read or stored during a capture", () => {
  const READING: readonly CallKind[] = ["file.read", "file.stat", "file.close", "list", "open", "openFolder"]

  test.each(READING)(
    "whichever %s fails, each file is in the snapshot as it is now, or said to be left out",
    async (kind) => {
      let struck = true
      for (let call = 1; struck; call++) {
        const place = await onMemory()
        const paths = ["a", "sub/b", "sub/c"]
        for (const path of paths) place.write(path, "old")
        const first = await (await place.open()).capture()
        for (const path of paths) place.write(path, `new ${path}`)
        let faulty: FaultyFileSystem | undefined
        const fault = { call, kind, path: place.root, how: "fail" } as const
        const opened = place.openOn((inner) => (faulty = faultyFileSystem(inner, [fault])))
        const result = await opened.then((store) => store.capture()).catch((error: unknown) => error)
        struck = faulty?.struck === true
        const check = await place.open()
        if (result instanceof Error) {
          expect(result).toMatchObject({ name: "SnapshotError" })
          expect((await check.list()).map(({ id }) => id)).toEqual([first.snapshot.id])
          continue
        }
        const { snapshot, skipped } = result as CaptureResult
        for (const path of paths) {
          const isLeftOut = skipped.some((one) => path === one.path || path.startsWith(`${one.path}/`))
          const bytes = await check.readFile(snapshot.id, path)
          const told = `${kind} ${call} ${path}`
          expect(bytes && Buffer.from(bytes).toString(), told).toBe(isLeftOut ? undefined : `new ${path}`)
        }
        expect(snapshot.complete).toBe(skipped.length === 0)
      }
    },
  )

  test("undoing a step that changed nothing changes nothing, though a file could not be read", async () => {
    const place = await onDisk()
    place.write("a", "one")
    place.write("secret", "one")
    const refuse = { kind: "open", path: "/secret", how: "fail", errno: "EACCES" } as const
    const faults = [1, 2, 3].map((call) => ({ ...refuse, call }))
    const store = await place.openOn((inner) => faultyFileSystem(inner, faults))
    const { snapshot } = await store.capture()
    const before = place.content()
    const report = await store.restore(snapshot.id)
    expect(report).toEqual({ outcomes: [], complete: true })
    expect(place.content()).toEqual(before)
  })
})

describe("scenario 2: files that were never captured", () => {
  test("what was too large, ignored or unreadable then is neither deleted nor reported as restored", async () => {
    const place = await onDisk({ newFileLimitBytes: 10 })
    place.write(".gitignore", "ignored\n")
    for (const path of ["large", "ignored", "secret", "deep/large"]) place.write(path, "more than ten bytes")
    place.write("plain", "one")
    const refuse = { call: 1, kind: "open", path: "/secret", how: "fail", errno: "EACCES" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [refuse]))
    const { snapshot, skipped } = await store.capture()
    expect(skipped.map(({ path }) => path)).toEqual(["deep/large", "large", "secret"])
    for (const path of ["large", "secret", "deep/large"]) place.write(path, "small now")
    place.write(".gitignore", "")
    place.write("plain", "two")
    const report = await store.restore(snapshot.id)
    for (const path of ["large", "secret", "deep/large"]) expect(place.read(path)).toBe("small now")
    expect(place.read("ignored")).toBe("more than ten bytes")
    expect(place.read("plain")).toBe("one")
    const acted = report.outcomes.filter(({ action }) => action !== "kept").map(({ path }) => path)
    expect(acted).toEqual([".gitignore", "plain"])
  })

  test("a folder that could not be listed then survives with all that is in it", async () => {
    const place = await onDisk()
    place.write("closed/deep/file", "x")
    const refuse = { call: 1, kind: "openFolder", path: "/closed", how: "fail", errno: "EACCES" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [refuse]))
    const { snapshot } = await store.capture()
    const report = await store.restore(snapshot.id)
    expect(place.read("closed/deep/file")).toBe("x")
    expect(report.outcomes).toEqual([
      expect.objectContaining({ path: "closed/deep/file", action: "kept", reason: "was-skipped" }),
    ])
  })
})

describe("files that cannot be read when a restore comes", () => {
  test("a new folder that cannot be listed now stays, and the report says so", async () => {
    const place = await onDisk()
    place.write("plain", "one")
    const first = await place.open()
    const { snapshot } = await first.capture()
    await first.close()
    place.write("plain", "two")
    place.write("closed/deep/file", "x")
    const refuse = { kind: "openFolder", path: "/closed", how: "fail", errno: "EACCES" } as const
    const faults = [1, 2, 3].map((call) => ({ ...refuse, call }))
    const store = await place.openOn((inner) => faultyFileSystem(inner, faults))
    const report = await store.restore(snapshot.id)
    expect(place.read("plain")).toBe("one")
    expect(place.read("closed/deep/file")).toBe("x")
    expect(report.outcomes.filter(({ action }) => action === "kept")).toEqual([
      { path: "closed", action: "kept", reason: "unreadable" },
    ])
    await store.close()
  })
})

describe("scenario 3: ignore rules that changed", () => {
  test("what is ignored now or was then survives, by any file of rules", async () => {
    const place = await onDisk()
    place.write(".gitignore", "then-*\n")
    place.write("sub/.gitignore", "local-then\n")
    place.write("now-tracked", "one")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write(".gitignore", "now-*\n")
    place.write("sub/.gitignore", "local-now\n")
    const paths = ["then-a", "then-folder/deep", "now-a", "now-tracked", "sub/local-then", "sub/local-now"]
    for (const path of paths) place.write(path, "mine")
    await store.restore(snapshot.id)
    for (const path of paths) expect(place.read(path), path).toBe("mine")
    expect(place.read(".gitignore")).toBe("then-*\n")
  })

  test("rules of info/exclude and of the user's own file count as they were then", async () => {
    const place = await onDisk()
    fs.mkdirSync(join(place.root, ".git/info"), { recursive: true })
    for (const name of ["objects", "refs"]) fs.mkdirSync(join(place.root, ".git", name))
    fs.writeFileSync(join(place.root, ".git/HEAD"), "ref: refs/heads/main\n")
    fs.writeFileSync(join(place.root, ".git/info/exclude"), "by-repository\n")
    fs.mkdirSync(join(process.env["XDG_CONFIG_HOME"] ?? "", "git"), { recursive: true })
    const own = join(process.env["XDG_CONFIG_HOME"] ?? "", "git/ignore")
    fs.writeFileSync(own, "by-user\n")
    place.write("by-user", "x")
    place.write("by-repository", "x")
    place.write("a", "x")
    const store = await place.open()
    const { snapshot } = await store.capture()
    expect((await store.changes(EMPTY_TREE, snapshot.id)).map(({ path }) => path)).toEqual(["a"])
    fs.rmSync(own)
    fs.rmSync(join(place.root, ".git/info/exclude"))
    await store.restore(snapshot.id)
    expect([place.read("by-user"), place.read("by-repository")]).toEqual(["x", "x"])
  })

  test("an ignore file that cannot be read, then or now, lets nothing in its folder be deleted", async () => {
    for (const isThen of [true, false]) {
      const place = await onDisk()
      place.write("sub/.gitignore", "kept\n")
      place.write("top", "one")
      const faults = [1, 2, 3, 4].map(
        (call) => ({ call, kind: "open", path: "/.gitignore", how: "fail", errno: "EACCES" }) as const,
      )
      const blind = await place.openOn((inner) => faultyFileSystem(inner, faults))
      const sighted = await place.open()
      const { snapshot } = await (isThen ? blind : sighted).capture()
      place.write("sub/kept", "mine")
      place.write("sub/deep/added", "mine")
      place.write("added", "mine")
      await (isThen ? sighted : blind).restore(snapshot.id)
      expect([place.read("sub/kept"), place.read("sub/deep/added")]).toEqual(["mine", "mine"])
      expect(place.read("added")).toBeUndefined()
    }
  })
})

describe("scenario 3: rules from outside that may not be read", () => {
  test("then or now, they let nothing be deleted, since they may have named it", async () => {
    for (const isThen of [true, false]) {
      const place = await onDisk()
      fs.mkdirSync(join(place.root, ".git/info"), { recursive: true })
      for (const name of ["objects", "refs"]) fs.mkdirSync(join(place.root, ".git", name))
      fs.writeFileSync(join(place.root, ".git/HEAD"), "ref: refs/heads/main\n")
      fs.writeFileSync(join(place.root, ".git/info/exclude"), "kept\n")
      place.write("top", "one")
      const faults = [1, 2, 3, 4].map(
        (call) => ({ call, kind: "open", path: "/info/exclude", how: "fail", errno: "EACCES" }) as const,
      )
      const blind = await place.openOn((inner) => faultyFileSystem(inner, faults))
      const sighted = await place.open()
      const { snapshot } = await (isThen ? blind : sighted).capture()
      place.write("kept", "mine")
      place.write("top", "two")
      const report = await (isThen ? sighted : blind).restore(snapshot.id)
      expect([place.read("kept"), place.read("top"), report.complete]).toEqual(["mine", "one", true])
    }
  })
})

describe("scenario 7: an error while a restore writes", () => {
  // What each call of a restore leaves behind when it fails is in test/faults; here is what is told of it.
  const WRITING: readonly CallKind[] = ["file.write", "linkFile", "makeFolder", "makeLink", "open", "rename"]

  test.each(WRITING)(
    "whichever %s fails, nothing is deleted unless all was written, and the report is what happened",
    async (kind) => {
      let struck = true
      for (let call = 1; struck; call++) {
        const place = await onDisk({ durability: "process" })
        const { before, snapshot, after } = await prepared(place)
        let faulty: FaultyFileSystem | undefined
        const store = await place.openOn((inner) => {
          const path = inner.traits.folderHandles ? "/proc/self/fd" : place.root
          faulty = faultyFileSystem(inner, [{ call, kind, path, how: "fail" }])
          return faulty
        })
        const result = await store.restore(snapshot).catch((error: unknown) => error)
        struck = faulty?.struck === true
        const now = place.content()
        if (result instanceof Error) {
          expect(now, `${kind} ${call}`).toEqual(before)
          continue
        }
        const { outcomes, complete } = result as RestoreReport
        const failed = outcomes.some(({ action, theirs }) => action === "failed" && theirs !== undefined)
        for (const { path, action } of outcomes) {
          const wanted = action === "written" || action === "deleted" ? after[path] : before[path]
          expect(now[path], `${kind} ${call} ${path} ${action}`).toBe(wanted)
          if (failed) expect(action, `${kind} ${call} ${path}`).not.toBe("deleted")
        }
        const isDone = outcomes.every(({ reason, action }) => action !== "failed" && !UNDONE.has(reason ?? ""))
        expect(complete, `${kind} ${call}`).toBe(isDone)
        if (!struck) expect(now).toEqual(after)
      }
    },
  )

  /** Reasons of paths that the plan did not mean to keep. */
  const UNDONE: ReadonlySet<string> = new Set(["conflict", "write-failed"])

  async function prepared(place: StoreUnderTest): Promise<{ before: Content; after: Content; snapshot: string }> {
    place.write("a", "one")
    place.write("sub/b", "one")
    place.write("new/deep/c", "one")
    place.link("link", "a")
    const { snapshot } = await (await place.open()).capture()
    const after = place.content()
    place.write("a", "two")
    place.write("sub/b", "two")
    place.remove("new")
    place.remove("link")
    place.write("added", "two")
    place.write("old/deep/d", "two")
    return { before: place.content(), after, snapshot: snapshot.id }
  }
  type Content = ReturnType<StoreUnderTest["content"]>
})

describe("scenario 18: files edited by somebody else meanwhile", () => {
  test("an edit between the safety snapshot and the write stays, and is shown as a conflict", async () => {
    for (const phase of ["stage", "write"] as const) {
      const place = await onDisk()
      for (const path of ["a", "b"]) place.write(path, "one")
      const store = await place.open()
      const { snapshot } = await store.capture()
      for (const path of ["a", "b", "added"]) place.write(path, "two")
      const onProgress = (progress: Progress): void => {
        if (progress.phase !== phase || progress.done !== 1) return
        place.write("b", "theirs")
        place.write("added", "theirs")
      }
      const report = await store.restore(snapshot.id, { onProgress })
      expect([place.read("a"), place.read("b"), place.read("added")]).toEqual(["one", "theirs", "theirs"])
      expect(report.outcomes.map(({ path, action, reason }) => [path, action, reason])).toEqual([
        ["a", "written", undefined],
        ["added", "kept", "conflict"],
        ["b", "kept", "conflict"],
      ])
      expect(report.complete).toBe(false)
    }
  })

  test("a file that appears where the restore is about to write stays, and is shown as a conflict", async () => {
    const place = await onDisk()
    place.write("gone", "one")
    const { snapshot } = await (await place.open()).capture()
    place.remove("gone")
    const store = await place.openOn((inner) =>
      watchedFileSystem(inner, (call) => {
        if (call === "linkFile") place.write("gone", "theirs")
      }),
    )
    const report = await store.restore(snapshot.id)
    expect(place.read("gone")).toBe("theirs")
    expect(report.outcomes.map(({ action, reason }) => [action, reason])).toEqual([["kept", "conflict"]])
  })
})

describe("scenario 23: one file of many differs", () => {
  test("a restore changes the times of that file only, and of the folder that holds it", async () => {
    const place = await onDisk({ durability: "process" })
    for (let i = 0; i < 600; i++) place.write(`folder-${i % 6}/file-${i}`, `content ${i}`)
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.write("folder-3/file-9", "changed")
    const stat = (path: string): string => {
      const { mtimeNs, ctimeNs, ino } = fs.lstatSync(join(place.root, path), { bigint: true })
      return `${mtimeNs} ${ctimeNs} ${ino}`
    }
    const paths = ["", ...Object.keys(place.content())]
    const before = new Map(paths.map((path) => [path, stat(path)]))
    await store.restore(snapshot.id)
    const changed = paths.filter((path) => stat(path) !== before.get(path))
    expect(changed).toEqual(["folder-3", "folder-3/file-9"])
  })
})

describe("scenario 25: paths that change their kind or vanish during the walk", () => {
  test("a file that vanishes is not in the snapshot and does not end the walk", async () => {
    const { place, result } = await captureWhile("open", "/changing", (one) => one.remove("changing"))
    expect(result.skipped).toEqual([])
    expect(await pathsOf(place)).toEqual(["after", "before"])
  })

  test("a folder that vanishes is not in the snapshot and does not end the walk", async () => {
    const { place, result } = await captureWhile("openFolder", "/folder", (one) => one.remove("folder"), [
      "folder/file",
    ])
    expect(result.skipped).toEqual([])
    expect(await pathsOf(place)).toEqual(["after", "before", "changing"])
  })

  test("a file that turns into a link is captured as the link", async () => {
    const { place, result } = await captureWhile("open", "/changing", (one) => {
      one.remove("changing")
      one.link("changing", "before")
    })
    expect(result.skipped).toEqual([])
    expect(Buffer.from((await (await place.open()).readFile("latest", "changing")) ?? []).toString()).toBe("before")
  })

  test("a file that turns into a folder is captured with what is in it", async () => {
    const { place, result } = await captureWhile("open", "/changing", (one) => {
      one.remove("changing")
      one.write("changing/in", "x")
    })
    expect(result.skipped).toEqual([])
    expect(await pathsOf(place)).toEqual(["after", "before", "changing/in"])
  })

  test("a folder that turns into a file is captured as the file", async () => {
    const turn = (one: StoreUnderTest): void => {
      one.remove("folder")
      one.write("folder", "a file")
    }
    const { place, result } = await captureWhile("openFolder", "/folder", turn, ["folder/file"])
    expect(result.skipped).toEqual([])
    expect(await pathsOf(place)).toEqual(["after", "before", "changing", "folder"])
  })

  test("a work tree that goes away under a capture is an error and no snapshot of nothing", async () => {
    const place = await onDisk()
    place.write("a", "x")
    const store = await place.open()
    await store.capture()
    fs.rmSync(place.root, { recursive: true })
    await expectError(store.capture(), "WORKTREE_MISSING", { path: place.root })
    expect(await store.list()).toHaveLength(1)
  })

  async function captureWhile(
    call: string,
    path: string,
    change: (place: StoreUnderTest) => void,
    more: readonly string[] = [],
  ): Promise<{ place: StoreUnderTest; result: CaptureResult }> {
    const place = await onDisk()
    for (const name of ["before", "changing", "after", ...more]) place.write(name, "x")
    let changed = false
    const store = await place.openOn((inner) =>
      watchedFileSystem(inner, (called, at) => {
        if (changed || called !== call || !at.endsWith(path)) return
        changed = true
        change(place)
      }),
    )
    const result = await store.capture()
    expect(changed).toBe(true)
    return { place, result }
  }

  async function pathsOf(place: StoreUnderTest): Promise<string[]> {
    return (await (await place.open()).changes(EMPTY_TREE, "latest")).map(({ path }) => path)
  }
})
