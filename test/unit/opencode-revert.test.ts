import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { CALLS_BACKENDS, startCalls, type CallsUnderTest } from "../support/snapshot-calls.js"

const ABSENT = "0123456789012345678901234567890123456789"

/** A patch of paths in the folder. */
function patchOf(place: CallsUnderTest, hash: string, ...paths: string[]): { hash: string; files: string[] } {
  return { hash, files: paths.map((path) => join(place.root, path)) }
}

/** The paths that RESTORE_INCOMPLETE told of, with their reasons. */
function untouched(place: CallsUnderTest): string[] {
  return place.told.flatMap(({ error }) =>
    ((error as { details?: { paths?: { path: string; reason: string }[] } }).details?.paths ?? []).map(
      ({ path, reason }) => `${path} ${reason}`,
    ),
  )
}

describe.each(CALLS_BACKENDS)("a revert, %s", (backend) => {
  it("writes, brings back and deletes the files that it names, and no other", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["changed", "gone", "other", "dir/secret"]) place.write(path, "one")
    chmodSync(join(place.root, "dir/secret"), 0o600)
    symlinkSync("changed", join(place.root, "link"))
    const hash = (await calls.track()) as string
    for (const path of ["changed", "other", "added", "deep/added", "mine"]) place.write(path, "two")
    for (const path of ["gone", "dir", "link"]) place.remove(path)
    await calls.revert([patchOf(place, hash, "changed", "gone", "added", "deep/added", "dir/secret", "link")])
    expect(["changed", "gone", "other", "mine"].map(place.read)).toEqual(["one", "one", "two", "two"])
    expect(["added", "deep/added"].map(place.exists)).toEqual([false, false])
    expect(lstatSync(join(place.root, "dir/secret")).mode & 0o777).toBe(0o600)
    expect(lstatSync(join(place.root, "link")).isSymbolicLink()).toBe(true)
    expect(place.told).toEqual([])
  })

  it("takes the first patch that names a file, whatever later ones say", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const first = (await calls.track()) as string
    place.write("a", "two")
    place.write("b", "two")
    const second = (await calls.track()) as string
    place.write("a", "three")
    place.write("b", "three")
    await calls.revert([
      patchOf(place, second, "b"),
      patchOf(place, first, "a", "b"),
      patchOf(place, second, "a"),
      patchOf(place, ABSENT, "a", "b"),
    ])
    expect([place.read("a"), place.read("b")]).toEqual(["one", "two"])
    expect(place.told).toEqual([])
  })

  it("makes one restore for each hash, with a safety snapshot of what it deletes", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    for (const path of ["a", "b", "c"]) place.write(path, "one")
    const first = (await calls.track()) as string
    for (const path of ["a", "b"]) place.write(path, "two")
    const second = (await calls.track()) as string
    for (const path of ["a", "b", "c", "d"]) place.write(path, "three")
    await calls.revert([
      patchOf(place, first, "a"),
      patchOf(place, second, "b"),
      patchOf(place, first, "c", "d"),
      patchOf(place, second, "a"),
    ])
    expect(["a", "b", "c", "d"].map(place.read)).toEqual(["one", "two", "one", undefined])
    const store = await place.openStore()
    const safety = await store.list({ kind: "safety" })
    expect(safety).toHaveLength(2)
    const held = await store.readFile((safety.at(-1) as { id: string }).id, "d")
    expect(Buffer.from(held as Uint8Array).toString()).toBe("three")
  })

  it("to a hash that does not exist touches nothing, least of all deletes, and tells so", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const hash = (await calls.track()) as string
    for (const path of ["a", "b", "c"]) place.write(path, "two")
    await calls.revert([patchOf(place, ABSENT, "a", "b"), patchOf(place, "HEAD", "c"), patchOf(place, hash, "a", "b")])
    expect(["a", "b", "c"].map(place.read)).toEqual(["two", "two", "two"])
    expect(place.told.map(({ call, code }) => `${call} ${code}`)).toEqual(["revert NOT_FOUND", "revert NOT_FOUND"])
  })

  it("refuses files outside of the folder, each of them, and reverts the others", async () => {
    const place = await startCalls(backend)
    writeFileSync(join(place.scratch, "outside"), "mine")
    mkdirSync(`${place.root}-2`)
    writeFileSync(join(`${place.root}-2`, "a"), "mine")
    for (const path of ["sub/a", "sub-2/a", "top"]) place.write(path, "one")
    const calls = place.create({ worktree: place.root, directory: join(place.root, "sub") })
    const hash = (await calls.track()) as string
    for (const path of ["sub/a", "sub-2/a", "top"]) place.write(path, "two")
    const outside = [
      join(place.scratch, "outside"),
      `${place.root}/../outside`,
      `${place.root}-2/a`,
      `${place.root}/sub/../top`,
      join(place.root, "sub-2/a"),
      join(place.root, "top"),
      join(place.root, "sub"),
      place.root,
      "/etc/passwd",
      `${place.root}/sub/a\0b`,
    ]
    await calls.revert([{ hash, files: [...outside, join(place.root, "sub/a")] }])
    expect(place.read("sub/a")).toBe("one")
    expect(["sub-2/a", "top"].map(place.read)).toEqual(["two", "two"])
    expect(readdirSync(place.scratch).sort()).toEqual(["outside", "snapshot", "work", "work-2"])
    expect(place.told.map(({ call, code }) => `${call} ${code}`)).toEqual(outside.map(() => "revert PATH_UNSAFE"))
  })

  it("does not follow a link in the place of a folder out of the work tree", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("dir/a", "one")
    const hash = (await calls.track()) as string
    place.remove("dir")
    mkdirSync(join(place.scratch, "elsewhere"))
    for (const name of ["a", "b"]) writeFileSync(join(place.scratch, "elsewhere", name), "mine")
    symlinkSync(join(place.scratch, "elsewhere"), join(place.root, "dir"))
    await calls.revert([patchOf(place, hash, "dir/a", "dir/b")])
    expect(readdirSync(join(place.scratch, "elsewhere"))).toEqual(["a", "b"])
    await calls.revert([patchOf(place, hash, "dir", "dir/a")])
    expect(place.read("dir/a")).toBe("one")
    expect(lstatSync(join(place.root, "dir")).isDirectory()).toBe(true)
  })

  it("keeps an added file that a rule names by now, and one that a rule named then, and tells so", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write(".gitignore", "then\n")
    place.write("then", "mine")
    const hash = (await calls.track()) as string
    place.write(".gitignore", "now\n")
    place.write("now", "mine")
    await calls.revert([patchOf(place, hash, "then", "now")])
    expect([place.read("then"), place.read("now")]).toEqual(["mine", "mine"])
    expect(untouched(place).sort()).toEqual(["now not-captured", "then was-ignored"])
  })

  it("means the named file: a folder of that name by now is not emptied", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("was/file", "one")
    place.write("kept", "one")
    const hash = (await calls.track()) as string
    place.write("new/mine", "two")
    place.remove("kept")
    place.write("kept/mine", "two")
    await calls.revert([patchOf(place, hash, "new", "kept")])
    expect([place.read("new/mine"), place.read("kept/mine")]).toEqual(["two", "two"])
    expect(untouched(place)).toEqual(["kept conflict"])
  })

  it("takes back a file that became a folder, and a folder that became a file", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    place.write("b/in", "one")
    const hash = (await calls.track()) as string
    for (const path of ["a", "b"]) place.remove(path)
    place.write("a/in", "two")
    place.write("b", "two")
    await calls.revert([await calls.patch(hash)])
    expect(await calls.track()).toBe(hash)
    expect(place.told).toEqual([])
  })

  it("of nothing does nothing", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    place.write("a", "one")
    const hash = (await calls.track()) as string
    await calls.revert([])
    await calls.revert([{ hash, files: [] }])
    await calls.revert([patchOf(place, hash, "a", "never/there")])
    expect(place.read("a")).toBe("one")
    expect(place.told).toEqual([])
    expect(await (await place.openStore()).list({ kind: "safety" })).toEqual([])
  })

  it("with a lost content brings back everything else, and tells of it", async () => {
    const place = await startCalls(backend)
    const calls = place.create()
    // Two captures, so that each content is in a pack of its own.
    place.write("lost", "lost")
    await calls.track()
    const [lost] = readdirSync(join(place.gitdir, "objects/pack"))
    place.write("kept", "one")
    const hash = (await calls.track()) as string
    for (const path of ["lost", "kept"]) place.write(path, "two")
    await calls.close()
    for (const kind of [".pack", ".idx"])
      rmSync(join(place.gitdir, "objects/pack", (lost as string).replace(/\.\w+$/, kind)))
    const later = place.create()
    place.write("lost", "lost")
    await later.revert([patchOf(place, hash, "lost")])
    expect(place.told).toEqual([])
    place.write("lost", "two")
    await later.revert([patchOf(place, hash, "lost", "kept")])
    expect([place.read("lost"), place.read("kept")]).toEqual(["two", "one"])
    expect(place.told.map(({ call, code }) => `${call} ${code}`)).toEqual(["revert OBJECT_MISSING"])
    place.write("kept", "three")
    await later.restore(hash)
    expect([place.read("lost"), place.read("kept")]).toEqual(["two", "one"])
    expect(place.told.map(({ call, code }) => `${call} ${code}`)[1]).toBe("restore OBJECT_MISSING")
  })
})
