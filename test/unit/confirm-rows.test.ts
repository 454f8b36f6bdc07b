import fs from "node:fs"
import { join } from "node:path"
import { beforeEach, expect, onTestFinished, test } from "vitest"
import { openOn } from "../../src/calls/open.js"
import type { ContentAnswer, ContentReader, ContentRequest } from "../../src/core/content-reader.js"
import type { Oid } from "../../src/core/oid.js"
import { FILE_ROW, FOLDER_ROW } from "../../src/core/stat-checker.js"
import type { SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { SynchronousReader } from "../../src/platform/node/read-content.js"
import { confirmRows } from "../../src/tree/confirm-rows.js"
import { StatTableWriter, SURE, type NamedTable } from "../../src/tree/stat-table.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const OID = "0123456789abcdef0123456789abcdef01234567" as Oid
const OTHER = "89abcdef0123456789abcdef0123456789abcdef" as Oid
const NOW_MS = 1_700_000_000_000

/** The files that were asked for. */
const asked: string[] = []
beforeEach(() => void (asked.length = 0))

/** Files `a` to `d` in a folder, modified so many milliseconds ago. */
function table(agesMs: readonly number[], marks = 0): NamedTable {
  const writer = new StatTableWriter()
  const row = { permissions: 0o644, sizeBytes: 7, ctimeNs: 5n, inode: 9n, marks }
  const root = writer.add({ ...row, kind: FOLDER_ROW, name: "", mtimeNs: 1n, oid: OID })
  const folder = writer.add({ ...row, kind: FOLDER_ROW, name: "folder", mtimeNs: 1n, oid: OID })
  for (const [i, ageMs] of agesMs.entries())
    writer.add({
      ...row,
      kind: FILE_ROW,
      name: "abcd".charAt(i),
      mtimeNs: BigInt(NOW_MS - ageMs) * 1_000_000n,
      oid: OID,
    })
  writer.close(folder)
  writer.close(root)
  return writer.finish()
}

/** Answers with what the rows say, less what `change` makes of it. */
function reader(seen: NamedTable, change: (name: string, answer: ContentAnswer) => ContentAnswer): ContentReader {
  return {
    async read({ files }) {
      return files.map(({ address }, i) => {
        asked.push(address)
        const stat = {
          kind: "file",
          permissions: 0o644,
          sizeBytes: 7,
          mtimeNs: seen.table.mtimes[2 + "abcd".indexOf(address.at(-1) as string)] as bigint,
          ctimeNs: 5n,
          device: 1n,
          inode: 9n,
          links: 1,
        } as const
        const found = { oid: files[i]?.knownOid as Oid, stat, openedMs: NOW_MS, packed: undefined }
        return change(address.at(-1) as string, found)
      })
    },
  }
}

test("files of the last minute that hold what their rows say are confirmed; older and settled ones are not asked for", async () => {
  const seen = table([1000, 59_000, 61_000])
  const same = reader(seen, (_name, answer) => answer)
  expect(await confirmRows(same, seen, "/work", NOW_MS)).toEqual({ rows: [2, 3], bytes: 14 })
  expect(asked).toEqual(["/work/folder/a", "/work/folder/b"])
  const settled = table([1000], SURE)
  expect(await confirmRows(same, settled, "/work", NOW_MS)).toEqual({ rows: [], bytes: 0 })
})

test("another content, another file under the name, and a file that did not settle are not confirmed", async () => {
  const seen = table([1000, 1000, 1000, 1000])
  const changed = reader(seen, (name, answer) => {
    if (answer === undefined || !("oid" in answer)) return answer
    if (name === "a") return { ...answer, oid: OTHER }
    if (name === "b") return { ...answer, stat: { ...answer.stat, inode: 10n } }
    return name === "c" ? undefined : { sizeBytes: 7 }
  })
  expect(await confirmRows(changed, seen, "/work", NOW_MS)).toEqual({ rows: [], bytes: 0 })
})

test("where there is too little to read nothing is confirmed", async () => {
  const seen = table([1000])
  expect((await confirmRows({ read: () => undefined }, seen, "/work", NOW_MS)).rows).toEqual([])
})

/** Reads on this thread, whatever is asked for. */
const here: ContentReader = {
  async read({ files, limitBytes, isWanted }: ContentRequest): Promise<readonly ContentAnswer[]> {
    const reader = new SynchronousReader()
    return files.map(({ address, knownOid }) => {
      asked.push(address)
      const found = reader.read({ address, isWanted, knownOid: knownOid ?? "" }, limitBytes)
      if (found === undefined || !("oid" in found)) return found
      const { header, stream, crc32 } = found.packed ?? {}
      const entry = header && stream && Buffer.concat([header, stream])
      return { ...found, packed: entry && { oid: found.oid, entry, crc32: crc32 as number } }
    })
  },
}

async function storeOf(work: string): Promise<SnapshotStore> {
  const platform = await nodePlatform({ contentReader: here })
  const place = { platform, loadGit: () => import("isomorphic-git"), stores: async () => "/nowhere" }
  const store = await openOn(place, { worktree: work, gitdir: `${work}.store`, durability: "process" })
  onTestFinished(() => store.close())
  return store
}

test("a capture within the minute reads such files once, stores nothing, and still sees what changes", async () => {
  const work = join(await temporaryFolder(), "work")
  fs.mkdirSync(join(work, "folder"), { recursive: true })
  for (const name of "abcd") fs.writeFileSync(join(work, "folder", name), name)
  await new Promise((resolve) => setTimeout(resolve, 60))
  const store = await storeOf(work)
  const first = await store.capture()
  asked.length = 0
  const again = await store.capture()
  expect([again.changed, again.stats.filesRead, again.stats.bytesRead]).toEqual([false, 4, 4])
  expect(asked.length).toBe(4)
  fs.writeFileSync(join(work, "folder", "c"), "e")
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect((await store.changes(first.snapshot.id)).map(({ path }) => path)).toEqual(["folder/c"])
  expect((await store.restore(first.snapshot.id)).complete).toBe(true)
  expect(fs.readFileSync(join(work, "folder", "c"), "utf8")).toBe("c")
})

test("a file that is too large and that the target has is captured ahead of its restore, though nothing changed since", async () => {
  const work = join(await temporaryFolder(), "work")
  fs.mkdirSync(work)
  fs.writeFileSync(join(work, "large"), "then".repeat(100))
  await new Promise((resolve) => setTimeout(resolve, 60))
  const open = async (newFileLimitBytes: number): Promise<SnapshotStore> => {
    const place = {
      platform: await nodePlatform(),
      loadGit: () => import("isomorphic-git"),
      stores: async () => "/nowhere",
    }
    const options = { worktree: work, gitdir: `${work}.store`, workspace: "one", durability: "process" } as const
    const store = await openOn(place, { ...options, newFileLimitBytes })
    onTestFinished(() => store.close())
    return store
  }
  const then = (await (await open(1000)).capture()).snapshot
  fs.rmSync(join(work, "large"))
  const store = await open(100)
  await store.capture()
  fs.writeFileSync(join(work, "large"), "now".repeat(100))
  // So that its times vouch for it.
  fs.utimesSync(join(work, "large"), 1e9, 1e9)
  await new Promise((resolve) => setTimeout(resolve, 60))
  const skipped = (await store.capture()).skipped
  expect(skipped.map(({ path }) => path)).toEqual(["large"])
  const { complete, undo } = await store.restore(then.id)
  expect(complete).toBe(true)
  expect(fs.readFileSync(join(work, "large"), "utf8")).toBe("then".repeat(100))
  expect((await store.restore(undo?.id ?? "")).complete).toBe(true)
  expect(fs.readFileSync(join(work, "large"), "utf8")).toBe("now".repeat(100))
})
