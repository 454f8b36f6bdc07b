import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { FileSystem } from "../../src/core/file-system.js"
import type { Oid } from "../../src/core/oid.js"
import { adoptedRef, refTimeMs, toRefName, type RefName } from "../../src/core/ref-name.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { adoptRootTrees, letGo } from "../../src/store/adopt.js"
import { DeltaBases } from "../../src/store/delta-bases.js"
import { layoutOf, prepareGitdir } from "../../src/store/gitdir.js"
import { looseType } from "../../src/store/loose-object.js"
import { OpenFiles } from "../../src/store/open-files.js"
import { openPackFile, type PackFile } from "../../src/store/pack-file.js"
import { packNodes } from "../../src/store/pack-nodes.js"
import { refStore } from "../../src/store/refs.js"
import { writeSnapshot } from "../support/damage.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { git, gitIsThere, type GitOptions, type GitOutput } from "../support/git.js"
import { gitObjects, historyRepository, packsOf } from "../support/git-objects.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const platform = await nodePlatform({})
const OLD_MS = 1_700_000_000_123

describe.runIf(gitIsThere())("Adoption", () => {
  test("gives a ref, by the time of its file, to each tree that nothing refers to, and to no other", async () => {
    const { gitdir, run, tree } = await gitdirOf()
    const inner = tree({ file: "inner" })
    const roots = [tree({ file: "a", "folder/": inner }), tree({ file: "b" }), tree({})]
    commit(run, tree({ file: "of a commit", "folder/": tree({ file: "inside it" }) }))
    const tagged = tree({ file: "of a tag" })
    run(["tag", "-a", "-m", "a tag", "annotated", tagged])
    run(["tag", "plain", tree({ file: "of a plain tag" })])
    for (const [at, oid] of roots.entries()) setTime(gitdir, oid, OLD_MS + at)
    expect(await adopt(gitdir)).toBe(3)
    expect(adopted(gitdir)).toEqual(roots.map((oid, at) => `${adoptedRef(OLD_MS + at, oid)} ${oid}`).sort())
    run(["fsck", "--strict"])
    expect(await adopt(gitdir)).toBe(0)
  })

  test("leaves what an alternate holds to the alternate", async () => {
    const { gitdir, tree } = await gitdirOf()
    const other = await gitdirOf()
    other.tree({ file: "elsewhere" })
    fs.writeFileSync(join(gitdir, "objects/info/alternates"), `${other.gitdir}/objects\n`)
    const own = tree({ file: "here" })
    expect(await adopt(gitdir)).toBe(1)
    expect(adopted(gitdir)[0]).toContain(own)
  })

  test.each(["--delta-base-offset", "--no-delta-base-offset"])(
    "finds the roots in a pack of deltas (%s)",
    async (deltas) => {
      const { gitdir, run, tree } = await gitdirOf()
      const files = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`file-${at}`, "same"]))
      const subtrees = Array.from({ length: 12 }, (_, at) => tree({ ...files, [`file-${at}`]: `other ${at}` }))
      const roots = subtrees.map((oid) => tree({ "folder/": oid, ...files }))
      commit(run, tree({ file: "committed" }))
      const pack = packAll(run, gitdir, deltas)
      expect(run(["verify-pack", "-v", `${pack}.idx`]).text).toMatch(/^\w{40} tree +\d+ \d+ \d+ \d+ \w{40}$/m)
      expect(fs.readdirSync(join(gitdir, "objects")).toSorted()).toEqual(["info", "pack"])
      setMs(`${pack}.pack`, OLD_MS)
      expect(await adopt(gitdir)).toBe(roots.length)
      expect(adopted(gitdir)).toEqual(roots.map((oid) => `${adoptedRef(OLD_MS, oid)} ${oid}`).sort())
      // Packing anew gives every object a new time and says nothing of the trees.
      run(["repack", "-q", "-a", "-d"])
      setMs(`${packsOf(gitdir)[0]}.pack`, OLD_MS + 1000)
      expect(await adopt(gitdir)).toBe(0)
    },
  )

  test("gives a tree whose file was touched since a newer ref beside the old one", async () => {
    const { gitdir, tree } = await gitdirOf()
    const root = tree({ file: "a" })
    setTime(gitdir, root, OLD_MS)
    await adopt(gitdir)
    setTime(gitdir, root, OLD_MS + 5)
    expect(await adopt(gitdir)).toBe(1)
    expect(adopted(gitdir)).toEqual([0, 5].map((later) => `${adoptedRef(OLD_MS + later, root)} ${root}`))
    expect(await adopt(gitdir)).toBe(0)
  })

  test("gives no ref again to a tree that was let go, unless it was touched since; a tree that is gone is forgotten", async () => {
    const { gitdir, tree, refs, layout } = await gitdirOf()
    const [root, other] = [tree({ file: "a" }), tree({ file: "b" })]
    for (const oid of [root, other]) setTime(gitdir, oid, OLD_MS)
    expect(await adopt(gitdir)).toBe(2)
    await letGo(platform.fileSystem, layout, [root, other], OLD_MS + 1000)
    for (const oid of [root, other]) await refs.removeLoose(adoptedRef(OLD_MS, oid))
    expect(await adopt(gitdir)).toBe(0)
    fs.rmSync(loose(gitdir, other))
    expect(await adopt(gitdir)).toBe(0)
    expect(fs.readFileSync(join(gitdir, "let-go"), "utf8")).toBe(`${root} ${OLD_MS + 1000}\n`)
    setTime(gitdir, root, OLD_MS + 2000)
    expect(await adopt(gitdir)).toBe(1)
    expect(adopted(gitdir)).toEqual([`${adoptedRef(OLD_MS + 2000, root)} ${root}`])
  })

  test("takes a list of what was let go that makes no sense for none", async () => {
    const { gitdir, tree } = await gitdirOf()
    const root = tree({ file: "a" })
    fs.writeFileSync(join(gitdir, "let-go"), `${root}\n${root} -1\n${root} 99999999999999999\n\0\0\0`)
    expect(await adopt(gitdir)).toBe(1)
  })

  test("takes a loose tree that only a snapshot names for another tool's, and a packed one for the snapshot's", async () => {
    const { gitdir, run, tree } = await gitdirOf()
    const place = { fs, gitdir } as Parameters<typeof writeSnapshot>[0]
    const [both, packed, unpacked] = [tree({ file: "a" }), tree({ file: "b" }), tree({ file: "c" })]
    const [one, two] = [both, packed].map((oid, at) => writeSnapshot(place, "desk", oid, { nonce: `0000000${at}` }))
    run(["pack-objects", "-q", join(gitdir, "objects/pack/pack")], { input: [one, two, packed].join("\n") })
    for (const oid of [one, two, packed]) fs.rmSync(loose(gitdir, oid as Oid))
    // Git unpacks what nothing reaches any more, the commit with its tree.
    writeSnapshot(place, "desk", unpacked)
    expect(await adopt(gitdir)).toBe(1)
    expect(adopted(gitdir)[0]).toContain(both)
  })

  test("does not count on the ref of a restore that is running", async () => {
    const { gitdir, tree, refs } = await gitdirOf()
    const root = tree({ file: "a" })
    await refs.write("refs/restores/desk/0123" as RefName, root as Oid, false)
    expect(await adopt(gitdir)).toBe(1)
  })

  test("passes over damaged objects and gives refs to what only they referred to", async () => {
    for (const damage of ["", "no zlib stream", fs.readFileSync(import.meta.filename).subarray(0, 10_000)]) {
      const { gitdir, tree } = await gitdirOf()
      const inner = tree({ file: "inner" })
      const root = tree({ "folder/": inner })
      fs.chmodSync(loose(gitdir, root), 0o644)
      fs.writeFileSync(loose(gitdir, root), damage)
      expect(await adopt(gitdir)).toBe(1)
      expect(adopted(gitdir)[0]).toContain(inner)
    }
  })

  test("gives no ref to a tree that something is missing from or damaged in, however deep, and none to less of it", async () => {
    for (const harm of ["remove", "damage"]) {
      const { gitdir, run, tree } = await gitdirOf()
      const lost = tree({ file: "lost", same: "same" })
      const shared = tree({ file: "shared" })
      tree({ "a/": tree({ "b/": lost, "c/": shared }), "d/": shared })
      const whole = tree({ "a/": shared, "b/": tree({ same: "same" }), link: "same" })
      const linked = run(["mktree"], { input: `160000 commit ${"1".repeat(40)}\tnested\n` }).text.trim()
      fs.rmSync(loose(gitdir, lost))
      if (harm === "damage") fs.writeFileSync(loose(gitdir, lost), "no zlib stream")
      expect(await adopt(gitdir)).toBe(2)
      expect(adoptedTrees(gitdir)).toEqual([whole, linked].sort())
      run(["gc", "-q", "--prune=now"])
    }
  })

  test("gives no ref to trees that a file is missing from, even one that an alternate has lost", async () => {
    const { gitdir, run, tree } = await gitdirOf()
    const other = await gitdirOf()
    const elsewhere = other.tree({ file: "elsewhere", other: "other" })
    fs.writeFileSync(join(gitdir, "objects/info/alternates"), `${other.gitdir}/objects\n`)
    const root = tree({ "folder/": elsewhere })
    const own = tree({ file: "here" })
    expect(await adopt(gitdir)).toBe(2)
    const refs = adopted(gitdir)
    const file = other.run(["rev-parse", `${elsewhere}:file`]).text.trim()
    fs.renameSync(loose(other.gitdir, file), join(other.gitdir, "away"))
    expect(await adopt(gitdir)).toBe(0)
    expect(adopted(gitdir)).toEqual(refs.filter((line) => line.endsWith(own)))
    run(["gc", "-q"])
    // What comes back is whole again.
    fs.renameSync(join(other.gitdir, "away"), loose(other.gitdir, file))
    expect(await adopt(gitdir)).toBe(1)
    expect(adoptedTrees(gitdir)).toEqual([root, own].sort())
  })

  test("looks into each tree once, however many roots share it", async () => {
    const { gitdir, tree } = await gitdirOf()
    // Each of the folders is in the one below it twice: paths double with every level.
    let folder = tree({ file: "innermost" })
    for (let depth = 0; depth < 40; depth++) folder = tree({ "a/": folder, "b/": folder })
    for (let at = 0; at < 3; at++) tree({ file: `${at}`, "folder/": folder })
    expect(await adopt(gitdir)).toBe(3)
  })

  test("throws when the system fails to read, and goes on where it was when it is run again", async () => {
    const { gitdir, tree } = await gitdirOf()
    for (let at = 0; at < 20; at++) tree({ file: `${at}`, "folder/": tree({ file: `inner ${at}` }) })
    for (const fault of [
      { kind: "file.read", path: "/objects/", call: 30 },
      { kind: "list", path: "/objects/", call: 5 },
      { kind: "lstat", path: "/objects/", call: 10 },
      { kind: "file.sync", path: "/gitdir/tmp/", call: 7 },
    ] as const) {
      fs.rmSync(join(gitdir, "refs/adopted"), { recursive: true, force: true })
      const faulty = faultyFileSystem(nodeFileSystem(), [{ ...fault, how: "fail" }])
      await expect(adopt(gitdir, faulty), fault.path).rejects.toMatchObject({ code: "IO_FAILED" })
    }
    expect(adopted(gitdir)).toHaveLength(19)
    expect(await adopt(gitdir)).toBe(1)
    expect(adopted(gitdir)).toHaveLength(20)
  })

  test("has every ref on the medium when it resolves", async () => {
    const { gitdir, tree } = await gitdirOf()
    for (let at = 0; at < 5; at++) tree({ file: `${at}` })
    const watched = faultyFileSystem(nodeFileSystem())
    expect(await adopt(gitdir, watched)).toBe(5)
    const calls = watched.calls.map(({ kind, path }) => `${kind} ${path.includes("/refs/") ? "ref" : "other"}`)
    expect(calls.filter((call) => call === "file.sync other")).toHaveLength(5)
    expect(calls.findLastIndex((call) => call.startsWith("rename"))).toBeLessThan(calls.lastIndexOf("syncFolder ref"))
  })

  test("finds a tree that a git at work meanwhile packs or unpacks", async () => {
    for (const direction of ["pack", "unpack"]) {
      const { gitdir, run, tree } = await gitdirOf()
      const root = tree({ file: "a" })
      const paths = [root, run(["rev-parse", `${root}:file`]).text.trim()].map((oid) => loose(gitdir, oid))
      const contents = paths.map((path) => fs.readFileSync(path))
      const pack = packAll(run, gitdir, "--delta-base-offset")
      const unpack = (): void => {
        for (const [at, path] of paths.entries()) {
          fs.mkdirSync(join(path, ".."), { recursive: true })
          fs.writeFileSync(path, contents[at] as Buffer)
        }
      }
      if (direction === "pack") {
        for (const end of [".idx", ".pack"]) fs.renameSync(`${pack}${end}`, `${gitdir}/aside${end}`)
        unpack()
      }
      // Happens between the first listing of the packs and that of the loose objects.
      const moving = faultyFileSystem(nodeFileSystem(), [], async (call, make) => {
        const result = await make()
        if (call.kind !== "list" || !call.path.endsWith("/objects/pack") || moved) return result
        moved = true
        if (direction === "pack") {
          for (const end of [".pack", ".idx"]) fs.renameSync(`${gitdir}/aside${end}`, `${pack}${end}`)
          for (const path of paths) fs.rmSync(path)
        } else {
          unpack()
          for (const end of [".idx", ".pack"]) fs.rmSync(`${pack}${end}`)
        }
        return result
      })
      let moved = false
      expect(await adopt(gitdir, moving), direction).toBe(1)
      expect(adopted(gitdir)[0]).toContain(root)
    }
  })
})

describe.runIf(gitIsThere())("packNodes and looseType", () => {
  test("say of each object what git cat-file says", async () => {
    const repository = historyRepository(await temporaryFolder())
    const types = new Map(Array.from(gitObjects(repository), ([oid, { type }]) => [oid, type]))
    const named = [...types].filter(([, type]) => type !== "blob").sort()
    for (const option of ["--delta-base-offset", "--no-delta-base-offset"]) {
      const packed = git(["pack-objects", "-q", option, "objects/pack/pack"], {
        cwd: repository,
        input: [...types.keys()].join("\n"),
      })
      const path = join(repository, `objects/pack/pack-${packed.text.trim()}`)
      const openFiles = new OpenFiles(platform.fileSystem, 4)
      const pack = await openPackFile({ ...platform, openFiles, bases: new DeltaBases(1 << 20), limitBytes: 1e9 }, path)
      const nodes = await openFiles.use(`${path}.pack`, (file) => packNodes(file, (pack as PackFile).index))
      expect(nodes.map(({ oid, type }) => [oid, type]).sort()).toEqual(named)
      expect(nodes.map(({ offset }) => offset)).toEqual(nodes.map(({ offset }) => offset).toSorted((a, b) => a - b))
      await openFiles.close()
    }
    const exploded = join(await temporaryFolder(), "loose.git")
    git(["init", "-q", "--bare", exploded])
    const whole = fs.readFileSync(`${packsOf(repository)[0]}.pack`)
    git(["unpack-objects", "-q"], { cwd: exploded, input: whole })
    for (const [oid, type] of types) expect(await looseType(platform, loose(exploded, oid), oid), oid).toBe(type)
    expect(await looseType(platform, join(exploded, "objects/00/none"), "0" as Oid)).toBeUndefined()
  })

  test("say of a short object that shrinks to almost nothing what it is", async () => {
    const { gitdir, run } = await gitdirOf()
    const oid = run(["hash-object", "-w", "--stdin"], { input: Buffer.alloc(3_000_000) }).text.trim() as Oid
    expect(await looseType(platform, loose(gitdir, oid), oid)).toBe("blob")
  })
})

test("the name of an adopted tree's ref is one that Git takes, with the time in it, whatever the time", () => {
  const tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904" as Oid
  for (const [ms, kept] of [
    [OLD_MS, OLD_MS],
    [0, 0],
    [-5, 0],
    [8.64e15, 253402300799999],
  ] as const) {
    const name = adoptedRef(ms, tree)
    expect(toRefName(name)).toBe(name)
    expect(refTimeMs(name)).toBe(kept)
    expect(name.endsWith(`-${tree}`)).toBe(true)
  }
})

interface Gitdir {
  readonly gitdir: string
  readonly layout: ReturnType<typeof layoutOf>
  readonly refs: ReturnType<typeof refStore>
  readonly run: (args: readonly string[], options?: GitOptions) => GitOutput
  /** Stores a tree: names to contents; a name with a slash at its end is a folder's, with the oid of its tree. */
  readonly tree: (items: Readonly<Record<string, string>>) => Oid
}

async function gitdirOf(): Promise<Gitdir> {
  const gitdir = join(await temporaryFolder(), "gitdir")
  git(["init", "-q", "--bare", gitdir])
  const layout = await prepareGitdir(platform.fileSystem, gitdir)
  const run = (args: readonly string[], options: GitOptions = {}): GitOutput => git(args, { cwd: gitdir, ...options })
  const blobs = new Map<string, string>()
  const blob = (text: string): string => {
    const oid = blobs.get(text) ?? run(["hash-object", "-w", "--stdin"], { input: text }).text.trim()
    blobs.set(text, oid)
    return oid
  }
  const tree = (items: Readonly<Record<string, string>>): Oid => {
    const lines = Object.entries(items).map(([name, content]) =>
      name.endsWith("/") ? `040000 tree ${content}\t${name.slice(0, -1)}\n` : `100644 blob ${blob(content)}\t${name}\n`,
    )
    return run(["mktree"], { input: lines.join("") }).text.trim() as Oid
  }
  return { gitdir, layout, refs: refStore(platform.fileSystem, gitdir, layout.temporary), run, tree }
}

function commit(run: Gitdir["run"], tree: string): void {
  run(["update-ref", "refs/heads/main", run(["commit-tree", "-m", "a commit", tree]).text.trim()])
}

/** Moves all objects into one pack; gives its path without extension. */
function packAll(run: Gitdir["run"], gitdir: string, deltas: string): string {
  const all = run(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).text
  const name = run(["pack-objects", "-q", deltas, join(gitdir, "objects/pack/pack")], { input: all }).text.trim()
  run(["prune-packed"])
  return join(gitdir, `objects/pack/pack-${name}`)
}

function adopt(gitdir: string, fileSystem: FileSystem = platform.fileSystem): Promise<number> {
  const layout = layoutOf(gitdir)
  return adoptRootTrees({ ...platform, fileSystem }, layout, refStore(fileSystem, gitdir, layout.temporary))
}

/** `<ref> <oid>` of each adopted tree, as git lists them. */
function adopted(gitdir: string): string[] {
  const listed = git(["for-each-ref", "--format=%(refname) %(objectname)", "refs/adopted"], { cwd: gitdir }).text
  return listed.split("\n").slice(0, -1)
}

/** The oids of all adopted trees, sorted. */
function adoptedTrees(gitdir: string): string[] {
  return adopted(gitdir)
    .map((line) => line.slice(-40))
    .sort()
}

function loose(gitdir: string, oid: string): string {
  return join(gitdir, "objects", oid.slice(0, 2), oid.slice(2))
}

function setTime(gitdir: string, oid: string, ms: number): void {
  setMs(loose(gitdir, oid), ms)
}

/** A little above, for times that are kept as floating point numbers on their way. */
function setMs(path: string, ms: number): void {
  fs.utimesSync(path, ms / 1000 + 0.0005, ms / 1000 + 0.0005)
}
