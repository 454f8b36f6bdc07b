import { describe, expect, test } from "vitest"
import type { CaptureResult, Progress } from "../../../src/index.js"
import { faultyFileSystem } from "../../support/faulty-file-system.js"
import { BACKENDS, expectError } from "../../support/store-under-test.js"

describe.each(BACKENDS)("capture on $name", ({ start }) => {
  test("a snapshot says when, what, how and after which one it was made", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const store = await place.open({ workspace: "desk" })
    const from = Date.now()
    const first = await store.capture({
      label: "before the\nrefactoring 🚀",
      metadata: { step: "1", "": "x\ny\u2028" },
    })
    const { snapshot } = first
    expect(snapshot.id).toMatch(/^[0-9a-f]{40}$/)
    expect(snapshot.tree).toMatch(/^[0-9a-f]{40}$/)
    expect(snapshot.ref).toMatch(/^refs\/snapshots\/desk\/\d{8}T\d{9}Z-[0-9a-f]+$/)
    expect(snapshot).toMatchObject({ label: "before the\nrefactoring 🚀", kind: "capture", complete: true })
    expect(snapshot.metadata).toEqual({ step: "1", "": "x\ny\u2028" })
    expect(snapshot.createdAt.getTime()).toBeGreaterThanOrEqual(from)
    expect(snapshot.createdAt.getTime()).toBeLessThanOrEqual(Date.now())
    expect(snapshot).not.toHaveProperty("previous")
    place.write("a.txt", "two")
    const second = await store.capture()
    expect(second.snapshot.previous).toBe(snapshot.id)
    expect(second.snapshot).not.toHaveProperty("label")
    expect(second.snapshot.metadata).toEqual({})
  })

  test("the statistics of a capture tell what it scanned, read and wrote", async () => {
    const place = await start()
    place.write("a.txt", "12345")
    place.write("folder/b.txt", "123")
    place.link("folder/link", "b.txt")
    const { stats, changed, skipped } = await (await place.open()).capture()
    expect({ changed, skipped }).toEqual({ changed: true, skipped: [] })
    expect(stats).toMatchObject({ filesScanned: 3, filesRead: 2, bytesRead: 8 })
    // Three blobs, two trees and the commit; on a file system with its own permissions a manifest, too.
    expect(stats.objectsWritten).toBeGreaterThanOrEqual(6)
    expect(stats.objectsWritten).toBeLessThanOrEqual(9)
    expect(stats.bytesWritten).toBeGreaterThan(0)
    expect(stats.durationMs).toBeGreaterThan(0)
  })

  test("a capture with nothing changed gives the newest one again and leaves the store as it is", async () => {
    const place = await start()
    place.write("a.txt", "one")
    place.folder("empty")
    const store = await place.open()
    const first = await store.capture()
    const before = place.stored()
    const again = await store.capture()
    expect(again).toMatchObject({ changed: false, skipped: [], stats: { objectsWritten: 0, bytesWritten: 0 } })
    expect(again.snapshot).toEqual(first.snapshot)
    expect(place.stored()).toEqual(before)
  })

  test.each([{ label: "" }, { label: "again" }, { metadata: { step: "2" } }])(
    "a capture with nothing changed is a snapshot of its own with %j",
    async (options) => {
      const place = await start()
      place.write("a.txt", "one")
      const store = await place.open()
      const first = await store.capture()
      const noted = await store.capture(options)
      expect(noted.changed).toBe(true)
      expect(noted.snapshot).toMatchObject({ ...options, tree: first.snapshot.tree, previous: first.snapshot.id })
      expect(await store.list()).toHaveLength(2)
    },
  )

  test("a capture after a safety snapshot only is compared with the newest capture", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const store = await place.open()
    const first = await store.capture()
    place.write("a.txt", "two")
    await store.restore("latest")
    const again = await store.capture()
    expect(again).toMatchObject({ changed: false, snapshot: { id: first.snapshot.id } })
  })

  test("a change of the manifest alone makes a new snapshot of the same tree", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const store = await place.open()
    const first = await store.capture()
    place.folder("empty")
    const second = await store.capture()
    expect(second.changed).toBe(true)
    expect(second.snapshot.tree).toBe(first.snapshot.tree)
    place.remove("empty")
    place.write("a.txt", "one", 0o600)
    const third = await store.capture()
    expect(third.changed).toBe(true)
    expect(third.snapshot.tree).toBe(first.snapshot.tree)
  })

  test("a change of content, of the executable bit, of a link's text or of a kind makes a new tree", async () => {
    const place = await start()
    place.write("file", "one")
    place.link("link", "file")
    const store = await place.open()
    const trees = [(await store.capture()).snapshot.tree]
    place.write("file", "two")
    trees.push((await store.capture()).snapshot.tree)
    place.write("file", "two", 0o755)
    trees.push((await store.capture()).snapshot.tree)
    place.remove("link")
    place.link("link", "elsewhere")
    trees.push((await store.capture()).snapshot.tree)
    place.remove("link")
    place.write("link", "elsewhere")
    trees.push((await store.capture()).snapshot.tree)
    expect(new Set(trees).size).toBe(5)
  })

  test("an empty work tree is a snapshot, too", async () => {
    const place = await start()
    const store = await place.open()
    const { snapshot, changed } = await store.capture()
    expect({ changed, tree: snapshot.tree }).toEqual({
      changed: true,
      tree: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    })
    expect(await store.changes(snapshot.id)).toEqual([])
  })

  test("a link is captured as its text, wherever it leads", async () => {
    const place = await start()
    place.fs.mkdirSync(`${place.scratch}/outside`)
    place.fs.writeFileSync(`${place.scratch}/outside/secret`, "secret")
    const texts = { file: "../outside/secret", folder: "../outside", none: "nowhere", loop: "loop", absolute: "/etc" }
    for (const [name, text] of Object.entries(texts)) place.link(name, text)
    const store = await place.open()
    const { snapshot, skipped, stats } = await store.capture()
    expect(skipped).toEqual([])
    expect(stats.filesRead).toBe(0)
    for (const [name, text] of Object.entries(texts))
      expect(Buffer.from((await store.readFile(snapshot.id, name)) ?? []).toString()).toBe(text)
    expect(await store.readFile(snapshot.id, "folder/secret")).toBeUndefined()
  })

  test("new files above the limit are skipped and reported, tracked ones never", async () => {
    const place = await start()
    place.write("grows", "1234")
    place.write("exact", "12345678")
    place.write("large", "123456789")
    const store = await place.open({ newFileLimitBytes: 8 })
    const first = await store.capture()
    expect(first.skipped).toEqual([{ path: "large", reason: "too-large" }])
    expect(first.snapshot.complete).toBe(false)
    place.write("grows", "0123456789")
    place.remove("large")
    const second = await store.capture()
    expect(second.skipped).toEqual([])
    expect(second.snapshot.complete).toBe(true)
    expect(await store.readFile("latest", "grows")).toEqual(new Uint8Array(Buffer.from("0123456789")))
  })

  test("without a limit given, 2 MiB are captured and a byte more is skipped", async () => {
    const place = await start()
    place.write("fits", new Uint8Array(2 << 20))
    place.write("large", new Uint8Array((2 << 20) + 1))
    const { skipped } = await (await place.open()).capture()
    expect(skipped).toEqual([{ path: "large", reason: "too-large" }])
  })

  test("a file that the system refuses to read is skipped as unreadable, and the rest is captured", async () => {
    const place = await start()
    place.write("good", "x")
    place.write("folder/secret", "x")
    const refused = { call: 1, kind: "open", path: "/secret", how: "fail", errno: "EACCES" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [refused]))
    const { skipped, snapshot } = await store.capture()
    expect(skipped).toEqual([{ path: "folder/secret", reason: "unreadable" }])
    expect(snapshot.complete).toBe(false)
    expect(
      (await store.changes("4b825dc642cb6eb9a060e54bf8d69288fbee4904", snapshot.id)).map(({ path }) => path),
    ).toEqual(["good"])
  })

  test("a folder that the system refuses to list is skipped as a whole", async () => {
    const place = await start()
    place.write("good", "x")
    place.write("closed/in", "x")
    const refused = { call: 1, kind: "openFolder", path: "/closed", how: "fail", errno: "EACCES" } as const
    const store = await place.openOn((inner) => faultyFileSystem(inner, [refused]))
    expect((await store.capture()).skipped).toEqual([{ path: "closed", reason: "unreadable" }])
  })

  test("names that Git forbids in some system's spelling are skipped, shown with escapes", async () => {
    const place = await start()
    place.write("GIT~1/x", "x")
    place.write("folder/.Git", "x")
    place.write(".git ", "x")
    place.write(".g\u200cit", "x")
    place.write("fine", "x")
    const { skipped } = await (await place.open()).capture()
    const names = [".git ", ".g\u200cit", "GIT~1", "folder/.Git"]
    expect(skipped).toEqual(names.toSorted().map((path) => ({ path, reason: "unsafe-name" })))
  })

  test("whatever is called .git is left out without a word, and repositories inside are captured without theirs", async () => {
    const place = await start()
    place.write(".git/HEAD", "ref: refs/heads/main\n")
    place.write("nested/.git/HEAD", "ref: refs/heads/main\n")
    place.write("nested/file", "x")
    place.write("linked/.git", "gitdir: ../elsewhere\n")
    place.write("linked/file", "x")
    const store = await place.open()
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    const paths = (await store.changes("4b825dc642cb6eb9a060e54bf8d69288fbee4904", snapshot.id)).map(({ path }) => path)
    expect(paths).toEqual(["linked/file", "nested/file"])
  })

  test("what ignore files name is not captured and not listed", async () => {
    const place = await start()
    place.write(".gitignore", "*.log\n!keep.log\nbuild/\n")
    place.write("sub/.gitignore", "local\n")
    for (const path of ["a.log", "keep.log", "build/out", "sub/local", "sub/file", "local"]) place.write(path, "x")
    const store = await place.open()
    const { snapshot, skipped } = await store.capture()
    expect(skipped).toEqual([])
    const paths = (await store.changes("4b825dc642cb6eb9a060e54bf8d69288fbee4904", snapshot.id)).map(({ path }) => path)
    expect(paths).toEqual([".gitignore", "keep.log", "local", "sub/.gitignore", "sub/file"])
  })

  test("what was captured and is ignored now is not captured again, though tracked before", async () => {
    const place = await start()
    place.write("a.log", "x")
    const store = await place.open()
    await store.capture()
    place.write(".gitignore", "*.log\n")
    const { snapshot } = await store.capture()
    expect(await store.readFile(snapshot.id, "a.log")).toBeUndefined()
  })

  test.each([
    ["label", { label: "x".repeat(4097) }],
    ["label", { label: 7 as never }],
    ["metadata", { metadata: { step: 1 as never } }],
    ["metadata", { metadata: ["a"] as never }],
    ["metadata", { metadata: null as never }],
    ["metadata", { metadata: { large: "x".repeat(70_000) } }],
  ])("a bad %s is refused and makes no snapshot", async (argument, options) => {
    const store = await (await start()).open()
    await expectError(store.capture(options), "INVALID_ARGUMENT", { argument })
    expect(await store.list()).toEqual([])
  })

  test("an abort before the start and one in the middle reject with the signal's reason and leave nothing", async () => {
    const place = await start()
    for (let i = 0; i < 30; i++) place.write(`file-${i}`, `content ${i}`)
    const store = await place.open()
    const before = place.stored()
    const reason = new Error("enough")
    await expect(store.capture({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const onProgress = ({ done }: Progress): void => (done > 10 ? controller.abort(reason) : undefined)
    await expect(store.capture({ signal: controller.signal, onProgress })).rejects.toBe(reason)
    expect(place.stored()).toEqual(before)
    expect((await store.capture()).changed).toBe(true)
  })

  test("a signal that fires after the capture has no effect", async () => {
    const place = await start()
    place.write("a.txt", "x")
    const controller = new AbortController()
    const store = await place.open()
    const { snapshot } = await store.capture({ signal: controller.signal })
    controller.abort()
    expect(await store.resolve("latest")).toEqual(snapshot)
  })

  test("progress counts the files of the scan one by one", async () => {
    const place = await start()
    for (let i = 0; i < 5; i++) place.write(`file-${i}`, `content ${i}`)
    const told: Progress[] = []
    await (await place.open()).capture({ onProgress: (progress) => void told.push(progress) })
    expect(told.filter(({ phase }) => phase === "scan").map(({ done }) => done)).toEqual([1, 2, 3, 4, 5])
  })

  test("captures that overlap are all whole, and each is in the list", async () => {
    const place = await start()
    for (let i = 0; i < 20; i++) place.write(`file-${i}`, `content ${i}`)
    const store = await place.open()
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, i): Promise<CaptureResult> => store.capture({ label: `capture ${i}` })),
    )
    expect(new Set(results.map(({ snapshot }) => snapshot.id)).size).toBe(6)
    const listed = await store.list()
    expect(listed.map(({ id }) => id).toSorted()).toEqual(results.map(({ snapshot }) => snapshot.id).toSorted())
    for (const { id } of listed)
      expect(await store.readFile(id, "file-7")).toEqual(new Uint8Array(Buffer.from("content 7")))
    expect(place.leftovers()).toEqual([])
  })

  test("a full disk is NO_SPACE, with no snapshot, nothing left over, and the older ones whole", async () => {
    const place = await start()
    place.write("a.txt", "one")
    const older = await (await place.open()).capture()
    place.write("a.txt", "two")
    const full = { call: 1, kind: "file.write", path: "/tmp/", how: "short", errno: "ENOSPC" } as const
    for (const call of [1, 2]) {
      const store = await place.openOn((inner) => faultyFileSystem(inner, [{ ...full, call }]))
      const error: unknown = await store.capture().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: "NO_SPACE", details: { errno: "ENOSPC" } })
      expect(place.leftovers()).toEqual([])
      expect((await store.list()).map(({ id }) => id)).toEqual([older.snapshot.id])
      expect(await store.readFile("latest", "a.txt")).toEqual(new Uint8Array(Buffer.from("one")))
    }
  })

  test("capture changes nothing in the work tree", async () => {
    const place = await start()
    place.write("a.txt", "one", 0o600)
    place.link("link", "a.txt")
    place.folder("empty", 0o700)
    const before = place.content()
    const times = place.fs.lstatSync(`${place.root}/a.txt`).mtimeMs
    await (await place.open()).capture()
    expect(place.content()).toEqual(before)
    expect(place.fs.lstatSync(`${place.root}/a.txt`).mtimeMs).toBe(times)
  })
})
