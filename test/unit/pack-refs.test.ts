import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import type { Oid } from "../../src/core/oid.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { layoutOf } from "../../src/store/gitdir.js"
import { packRefs } from "../../src/store/pack-refs.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const fileSystem = nodeFileSystem()

describe.runIf(gitIsThere())("packing refs", () => {
  it("moves refs of snapshots into one file that git reads, and leaves all others where they are", async () => {
    const { layout, oid, refs } = await storeWith(70)
    git(["update-ref", "refs/baseline/main", oid], { cwd: layout.gitdir })
    git(["update-ref", "refs/heads/other", oid], { cwd: layout.gitdir })
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(70)
    expect(await readdir(join(layout.gitdir, "refs/snapshots/main"))).toEqual([])
    expect(listed(layout.gitdir)).toEqual([...refs, "refs/baseline/main", "refs/heads/other"].toSorted())
    expect(await readdir(layout.gitdir)).not.toContain("packed-refs.lock")
    // Git looks names up by halving the file.
    for (const ref of refs) expect(git(["rev-parse", ref], { cwd: layout.gitdir }).text.trim()).toBe(oid)
  })

  it("adds to what git packed, tags with what they lead to included, and git goes on from there", async () => {
    const { layout, oid, refs } = await storeWith(64)
    git(["tag", "-a", "-m", "a tag", "annotated", oid], { cwd: layout.gitdir })
    git(["pack-refs", "--all"], { cwd: layout.gitdir })
    await writeRefs(layout.gitdir, oid, ["one", "two"])
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(0)
    await writeRefs(
      layout.gitdir,
      oid,
      Array.from({ length: 64 }, (_, i) => `more-${i}`),
    )
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(66)
    expect(git(["rev-parse", "annotated^{commit}"], { cwd: layout.gitdir }).text.trim()).toBe(oid)
    git(["pack-refs", "--all"], { cwd: layout.gitdir })
    expect(listed(layout.gitdir)).toHaveLength(refs.length + 66 + 1)
  })

  it("syncs what is published without before, packs and refs, so that no power cut leaves a name of nothing", async () => {
    const { layout, refs } = await storeWith(64)
    const lease = "a".repeat(32)
    await mkdir(layout.unsynced)
    await mkdir(layout.packs, { recursive: true })
    await writeFile(join(layout.unsynced, lease), `${refs[7]}\n`)
    for (const extension of ["pack", "idx"])
      await writeFile(join(layout.packs, `pack-${lease}01234567.${extension}`), "not synced")
    const watched = faultyFileSystem(fileSystem)
    expect(await packRefs({ fileSystem: watched, layout, nowMs: Date.now() })).toBe(64)
    const synced = watched.calls.filter(({ kind }) => kind === "file.sync" || kind === "syncFolder")
    const packed = watched.calls.find(({ kind, path }) => kind === "rename" && path.endsWith("/packed-refs"))
    for (const path of [
      join(layout.packs, `pack-${lease}01234567.pack`),
      join(layout.packs, `pack-${lease}01234567.idx`),
      layout.packs,
    ])
      expect(synced.find((call) => call.path === path)?.number, path).toBeLessThan(packed?.number ?? 0)
    expect(await readdir(layout.unsynced)).toEqual([])
  })

  it("does nothing while another tool holds git's lock", async () => {
    const { layout } = await storeWith(64)
    await writeFile(join(layout.gitdir, "packed-refs.lock"), "")
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(0)
    expect(await readdir(join(layout.gitdir, "refs/snapshots/main"))).toHaveLength(64)
  })

  it("does nothing while the last line of the packed ones is cut off", async () => {
    const { layout, oid } = await storeWith(64)
    await writeFile(join(layout.gitdir, "packed-refs"), `${oid} refs/heads/a\n${oid} refs/heads/b-and-mo`)
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(0)
    expect(await readFile(join(layout.gitdir, "packed-refs"), "utf8")).toMatch(/-mo$/)
  })

  it("leaves a ref that is damaged, or that was set by hand meanwhile", async () => {
    const { layout, refs } = await storeWith(64)
    await writeFile(join(layout.gitdir, refs[3] ?? ""), "")
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(0)
    await writeRefs(layout.gitdir, "1234567890123456789012345678901234567890" as Oid, ["another"])
    expect(await packRefs({ fileSystem, layout, nowMs: Date.now() })).toBe(64)
    expect(await readFile(join(layout.gitdir, refs[3] ?? ""), "utf8")).toBe("")
  })
})

async function storeWith(count: number): Promise<{ layout: ReturnType<typeof layoutOf>; oid: Oid; refs: string[] }> {
  const gitdir = join(await temporaryFolder(), "store.git")
  git(["init", "-q", "--bare", gitdir])
  await mkdir(join(gitdir, "tmp"))
  const tree = git(["hash-object", "-t", "tree", "-w", "--stdin"], { cwd: gitdir, input: "" }).text.trim()
  const oid = git(["commit-tree", "-m", "a snapshot", tree], { cwd: gitdir }).text.trim() as Oid
  const names = Array.from({ length: count }, (_, i) => `20260102T030405678Z-${String(i).padStart(16, "0")}`)
  return { layout: layoutOf(gitdir), oid, refs: await writeRefs(gitdir, oid, names) }
}

async function writeRefs(gitdir: string, oid: Oid, names: readonly string[]): Promise<string[]> {
  await mkdir(join(gitdir, "refs/snapshots/main"), { recursive: true })
  const refs = names.map((name) => `refs/snapshots/main/${name}`)
  for (const ref of refs) await writeFile(join(gitdir, ref), `${oid}\n`)
  return refs
}

function listed(gitdir: string): string[] {
  return git(["for-each-ref", "--format=%(refname)"], { cwd: gitdir }).text.trim().split("\n")
}
