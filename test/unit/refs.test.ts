import fs from "node:fs"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Oid } from "../../src/core/oid.js"
import {
  baselineRef,
  parseWorkspace,
  snapshotRef,
  refTimeMs,
  toRefName,
  type RefName,
  type Workspace,
} from "../../src/core/ref-name.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { holdTarget } from "../../src/store/held-target.js"
import { takeLease, type Lease } from "../../src/store/lease.js"
import { refStore, type Refs } from "../../src/store/refs.js"
import { layoutOf, prepareGitdir } from "../../src/store/gitdir.js"
import { markUnsynced, syncUnsynced } from "../../src/store/unsynced.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"
import { watchedFileSystem } from "../support/watched-file-system.js"

const ONE = "1111111111111111111111111111111111111111" as Oid
const TWO = "2222222222222222222222222222222222222222" as Oid
const REF = "refs/snapshots/desk/20231114T221320123Z-00ff" as RefName
const OTHER = "refs/snapshots/desk/20231114T221320124Z-00ff" as RefName

async function emptyStore(wrap: (inner: FileSystem) => FileSystem = (inner) => inner): Promise<{
  gitdir: string
  fileSystem: FileSystem
  refs: Refs
}> {
  const gitdir = join(await temporaryFolder(), "store")
  await prepareGitdir(nodeFileSystem(), gitdir)
  const fileSystem = wrap(nodeFileSystem())
  return { gitdir, fileSystem, refs: refStore(fileSystem, gitdir, `${gitdir}/tmp`) }
}

describe("ref names", () => {
  test.runIf(gitIsThere())("a text is a ref name under refs/ exactly when git check-ref-format says so", () => {
    const part = fc.oneof(
      fc.stringMatching(/^[-a-zA-Z0-9._@{}~^:?*[\\ ]{1,6}$/),
      fc.constantFrom("a", ".", "..", "a.", ".a", "a.lock", "@", "@{", "", "a..b", "\x7f", "é", "a\tb", "a b"),
    )
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const name = `refs/${parts.join("/")}`
        const isName = git(["check-ref-format", name], { anyStatus: true }).status === 0
        // A name needs a folder of its own under refs/ here.
        expect(toRefName(name) !== undefined, name).toBe(isName && parts.length > 1)
      }),
      { numRuns: 150 },
    )
  })

  test.each(["", "HEAD", "heads/main", "refs", "refs/", "refs/x", "refs/a/../../x", "/refs/a/b", "refs/a/b\0"])(
    "%j is no name of a ref that is read",
    (text) => {
      expect(toRefName(text)).toBeUndefined()
    },
  )

  test("a snapshot's ref sorts by time, is a ref name, and tells its time", () => {
    const time = fc.integer({ min: 0, max: 253402300799999 })
    fc.assert(
      fc.property(time, time, (a, b) => {
        const [one, other] = [a, b].map((ms) => snapshotRef("desk" as Workspace, ms, "00ff")) as [RefName, RefName]
        expect([one < other, one === other]).toEqual([a < b, a === b])
        expect(refTimeMs(one)).toBe(a)
        expect(toRefName(one)).toBe(one)
        expect(one).not.toContain(":")
      }),
    )
    for (const other of ["refs/heads/main", "refs/snapshots/a/20231399T221320123Z-00ff", "refs/snapshots/a/x"])
      expect(refTimeMs(other)).toBeUndefined()
  })

  test("a workspace is one component of 1 to 64 of a-z, 0-9 and -", () => {
    for (const name of ["a", "0", "-", "a-b-9", "x".repeat(64)]) expect(parseWorkspace(name)).toBe(name)
    for (const name of ["", "x".repeat(65), "A", "a/b", "a.b", "a b", "é", "a\n", ".."])
      expect(() => parseWorkspace(name)).toThrow(SnapshotError)
  })

  test("the baselines of two scopes never meet, nor those of another workspace", () => {
    const names = [
      baselineRef("a" as Workspace, undefined),
      baselineRef("a" as Workspace, "0f"),
      baselineRef("a" as Workspace, "1f"),
      baselineRef("a-0f" as Workspace, undefined),
    ]
    expect(new Set(names).size).toBe(4)
    for (const name of names) expect(toRefName(name)).toBe(name)
  })
})

describe("refs in a store", () => {
  test("a ref that was written is read and listed, until it is removed", async () => {
    const { refs } = await emptyStore()
    expect(await refs.read(REF)).toBeUndefined()
    expect(await refs.names("refs/snapshots/desk/")).toEqual([])
    await refs.write(REF, ONE, true)
    await refs.write(OTHER, ONE, false)
    await refs.write(REF, TWO, true)
    expect(await refs.read(REF)).toBe(TWO)
    expect(await refs.names("refs/snapshots/desk/")).toEqual([REF, OTHER])
    expect(await refs.names("refs/snapshots/other/")).toEqual([])
    await refs.removeLoose(REF)
    await refs.removeLoose(REF)
    expect(await refs.read(REF)).toBeUndefined()
  })

  test("packed refs count, and a loose ref comes before the packed one of its name", async () => {
    const { gitdir, refs } = await emptyStore()
    const lines = ["# pack-refs with: peeled fully-peeled sorted ", `${ONE} ${REF}`, `^${TWO}`, `${ONE} ${OTHER}`, ""]
    fs.writeFileSync(join(gitdir, "packed-refs"), lines.join("\n"))
    expect(await refs.names("refs/snapshots/desk/")).toEqual([REF, OTHER])
    expect(await refs.read(REF)).toBe(ONE)
    await refs.write(REF, TWO, true)
    expect(await refs.read(REF)).toBe(TWO)
    expect(await refs.names("refs/snapshots/desk/")).toEqual([REF, OTHER])
  })

  test("lines of packed-refs that make no sense hide none of the others", async () => {
    const { gitdir, refs } = await emptyStore()
    const junk = ["junk", "", `${ONE.slice(1)} refs/x/y`, `${ONE}\t${OTHER}`, `${ONE} refs/../../x/y`, "\0\0"]
    fs.writeFileSync(join(gitdir, "packed-refs"), [...junk, `${ONE} ${REF}`, ...junk].join("\n"))
    expect(await refs.names("refs/")).toEqual([REF])
  })

  test.runIf(gitIsThere())(
    "git pack-refs moves refs without one being lost, and writes go on in the emptied folders",
    async () => {
      const { gitdir, refs } = await emptyStore()
      const blob = git(["--git-dir", gitdir, "hash-object", "-w", "--stdin"], { input: "x" }).text.trim() as Oid
      await refs.write(REF, blob, true)
      git(["--git-dir", gitdir, "pack-refs", "--all", "--prune"])
      expect(fs.existsSync(join(gitdir, "refs/snapshots/desk"))).toBe(false)
      expect(await refs.read(REF)).toBe(blob)
      await refs.write(OTHER, blob, true)
      expect(await refs.names("refs/snapshots/")).toEqual([REF, OTHER])
      expect(git(["--git-dir", gitdir, "for-each-ref", "--format=%(refname)"]).text.trim().split("\n")).toEqual([
        REF,
        OTHER,
      ])
    },
  )

  test("a folder that is removed between being made and being used is made again", async () => {
    let removals = 3
    const { gitdir, refs } = await emptyStore((inner) =>
      watchedFileSystem(inner, (call) => {
        if (call !== "rename" || removals === 0) return
        removals--
        fs.rmSync(join(gitdir, "refs/snapshots/desk"), { recursive: true })
      }),
    )
    await refs.write(REF, ONE, true)
    expect(removals).toBe(0)
    expect(await refs.read(REF)).toBe(ONE)
    expect(fs.readdirSync(join(gitdir, "tmp"))).toEqual([])
  })

  test.each([
    ["empty", ""],
    ["cut", ONE.slice(0, 39)],
    ["too long", `${ONE}1`],
    ["symbolic", "ref: refs/heads/main\n"],
    ["upper case", "A".repeat(40)],
    ["zeros", "\0".repeat(41)],
  ])("a ref that is %s is REF_INVALID by its name, though a packed one of its name is there", async (_, content) => {
    const { gitdir, refs } = await emptyStore()
    await refs.write(REF, ONE, true)
    fs.writeFileSync(join(gitdir, REF), content)
    fs.writeFileSync(join(gitdir, "packed-refs"), `${ONE} ${REF}\n`)
    await expect(refs.read(REF)).rejects.toMatchObject({ code: "REF_INVALID", details: { ref: REF } })
    expect(await refs.names("refs/snapshots/")).toEqual([REF])
  })

  test("lock files and temporary names of other tools are no refs", async () => {
    const { gitdir, refs } = await emptyStore()
    await refs.write(REF, ONE, true)
    for (const name of [`${REF}.lock`, "refs/snapshots/desk/.tmp", "refs/snapshots/desk/a b"])
      fs.writeFileSync(join(gitdir, name), `${ONE}\n`)
    expect(await refs.names("refs/snapshots/")).toEqual([REF])
  })

  test("a held target is a ref for as long as it is held", async () => {
    const { refs } = await emptyStore()
    const held = await holdTarget(refs, { workspace: "desk" as Workspace, tree: ONE, nowMs: 0, durable: true })
    const [name] = await refs.names("refs/restores/desk/")
    expect(name !== undefined && (await refs.read(name))).toBe(ONE)
    await held.release()
    expect(await refs.names("refs/")).toEqual([])
  })
})

describe("a lease", () => {
  async function leased(
    wrap?: (inner: FileSystem) => FileSystem,
  ): Promise<{ gitdir: string; refs: Refs; lease: Lease }> {
    const { gitdir, fileSystem, refs } = await emptyStore(wrap)
    const lease = await takeLease({
      fileSystem,
      refs,
      leases: `${gitdir}/leases`,
      temporary: `${gitdir}/tmp`,
      owner: { pid: 7 },
      base: { ref: OTHER, oid: TWO },
      createdMs: 5,
      durable: true,
    })
    return { gitdir, refs, lease }
  }

  test("is an empty fence and terms that name it, its owner and its base, until it is released", async () => {
    const { gitdir, lease } = await leased()
    expect(lease.id).toMatch(/^[0-9a-f]{32}$/)
    expect(fs.readdirSync(`${gitdir}/leases`).toSorted()).toEqual([`${lease.id}.json`, `${lease.id}.ref`])
    expect(fs.readFileSync(`${gitdir}/leases/${lease.id}.ref`, "utf8")).toBe("")
    const terms: unknown = JSON.parse(fs.readFileSync(`${gitdir}/leases/${lease.id}.json`, "utf8"))
    expect(terms).toEqual({ id: lease.id, createdMs: 5, owner: { pid: 7 }, base: { ref: OTHER, oid: TWO } })
    await lease.release()
    await lease.release()
    expect(fs.readdirSync(`${gitdir}/leases`)).toEqual([])
  })

  test("publishes by turning its fence into the snapshot's ref", async () => {
    const { gitdir, refs, lease } = await leased()
    expect(await lease.publish(ONE, REF)).toBe("published")
    expect(await refs.read(REF)).toBe(ONE)
    expect(fs.readFileSync(join(gitdir, REF), "utf8")).toBe(`${ONE}\n`)
    expect(fs.readdirSync(`${gitdir}/leases`)).toEqual([`${lease.id}.json`])
    await lease.release()
    expect(fs.readdirSync(`${gitdir}/leases`)).toEqual([])
    expect(await refs.read(REF)).toBe(ONE)
  })

  test("whose fence is gone publishes nothing, and does not make the fence again", async () => {
    const { gitdir, refs, lease } = await leased()
    fs.rmSync(`${gitdir}/leases/${lease.id}.ref`)
    expect(await lease.publish(ONE, REF)).toBe("revoked")
    expect(await refs.names("refs/")).toEqual([])
    expect(fs.readdirSync(`${gitdir}/leases`)).toEqual([`${lease.id}.json`])
  })

  test("whose fence goes between being filled and being renamed publishes nothing", async () => {
    const { gitdir, refs, lease } = await leased((inner) =>
      watchedFileSystem(inner, (call, path) => {
        if (call === "rename" && path.endsWith(".ref")) fs.rmSync(path)
      }),
    )
    expect(await lease.publish(ONE, REF)).toBe("revoked")
    expect(await refs.names("refs/")).toEqual([])
    await lease.release()
    expect(fs.readdirSync(`${gitdir}/leases`)).toEqual([])
  })

  test("that cannot sync the ref's folder shows no ref", async () => {
    const fault = { call: 1, kind: "syncFolder", path: "/desk", how: "fail" } as const
    const { refs, lease } = await leased((inner) => faultyFileSystem(inner, [fault]))
    await expect(lease.publish(ONE, REF)).rejects.toMatchObject({ code: "IO_FAILED" })
    expect(await refs.read(REF)).toBeUndefined()
  })
})

describe("snapshots that were published without syncing", () => {
  test("are synced by the next one that has to be, pack, ref and every folder above, and their markers go", async () => {
    const { gitdir, refs } = await emptyStore()
    const layout = layoutOf(gitdir)
    const lease = "0".repeat(32)
    await refs.write(REF, ONE, false)
    for (const end of ["pack", "idx"]) fs.writeFileSync(`${layout.packs}/pack-${lease}01234567.${end}`, "x")
    fs.writeFileSync(`${layout.packs}/pack-other.pack`, "x")
    await markUnsynced(nodeFileSystem(), layout, lease, REF)
    const recording = faultyFileSystem(nodeFileSystem())
    await syncUnsynced(recording, layout, refs)
    const synced = recording.calls.filter(({ kind }) => kind === "file.sync" || kind === "syncFolder")
    const paths = synced.map(({ path }) => path.slice(gitdir.length))
    expect(paths.toSorted()).toEqual(
      [
        "",
        "/objects/pack",
        `/objects/pack/pack-${lease}01234567.idx`,
        `/objects/pack/pack-${lease}01234567.pack`,
        "/refs",
        "/refs/snapshots",
        "/refs/snapshots/desk",
        `/${REF}`,
      ].toSorted(),
    )
    expect(fs.readdirSync(layout.unsynced)).toEqual([])
    const again = faultyFileSystem(nodeFileSystem())
    await syncUnsynced(again, layout, refs)
    expect(again.calls.map(({ kind }) => kind)).toEqual(["list"])
  })

  test("keep their marker when a sync fails, and while their ref is not there yet", async () => {
    const { gitdir, refs } = await emptyStore()
    const layout = layoutOf(gitdir)
    await markUnsynced(nodeFileSystem(), layout, "0".repeat(32), REF)
    await syncUnsynced(nodeFileSystem(), layout, refs)
    expect(fs.readdirSync(layout.unsynced)).toHaveLength(1)
    await refs.write(REF, ONE, false)
    const failing = faultyFileSystem(nodeFileSystem(), [{ call: 1, kind: "file.sync", how: "fail" }])
    await expect(syncUnsynced(failing, layout, refs)).rejects.toMatchObject({ code: "IO_FAILED" })
    expect(fs.readdirSync(layout.unsynced)).toHaveLength(1)
  })

  test("lose their marker, too, when git has packed their ref", async () => {
    const { gitdir, refs } = await emptyStore()
    const layout = layoutOf(gitdir)
    await markUnsynced(nodeFileSystem(), layout, "0".repeat(32), REF)
    fs.writeFileSync(`${gitdir}/packed-refs`, `${ONE} ${REF}\n`)
    const recording = faultyFileSystem(nodeFileSystem())
    await syncUnsynced(recording, layout, refs)
    expect(fs.readdirSync(layout.unsynced)).toEqual([])
    expect(recording.calls.some(({ kind, path }) => kind === "file.sync" && path.endsWith("/packed-refs"))).toBe(true)
  })
})
