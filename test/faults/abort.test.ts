/*
 * Captures and restores that are aborted at any one call of the file system.
 */
import { expect, test } from "vitest"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { fileOf, folderOf, linkOf } from "../support/described-folder.js"
import { updateFolder, writeFolder } from "../support/disk.js"
import { faultyFileSystem, type FaultyFileSystem } from "../support/faulty-file-system.js"
import { folderContent } from "../support/folder-content.js"
import { brokenRefs, CHECK, copyOf, GITDIR, leftovers, newMemory, storeOn, WORKTREE, type Memory } from "../support/store-on.js"

const THEN = folderOf({
  "changed.txt": "then",
  "file-now-folder": "file",
  "folder-now-file": { deep: { "x.txt": "x" } },
  "gone.txt": "gone",
  empty: {},
  bits: folderOf({ "in.txt": "in" }, 0o700),
})

const NOW = folderOf({
  "changed.txt": fileOf("now", 0o755),
  "file-now-folder": folderOf({ sub: { "y.txt": "y" } }, 0o750),
  "folder-now-file": linkOf("changed.txt"),
  "added.txt": "added",
  "added-folder": { "z.txt": "z" },
  bits: folderOf({ "in.txt": "in" }, 0o755),
})

test("a capture that is aborted at any call rejects with the reason, or was published before it heard of it", async () => {
  const { start } = await startedMemory()
  const wrong: string[] = []
  const published = await abortedAtEachCall(start, (store, signal) => store.capture({ label: "new", signal }), async (memory, aborted) => {
    const store = await storeOn(memory.fileSystem)
    const count = (await store.list({ kind: "all" })).length
    await store.close()
    const left = [...(await leftovers(memory.fileSystem, GITDIR)), ...(await brokenRefs(CHECK, memory.fileSystem, GITDIR))]
    wrong.push(...left.map((path) => `call ${aborted.call}: ${path}`))
    if (count !== (aborted.hasRejected ? 1 : 2)) wrong.push(`call ${aborted.call}: ${count} snapshots`)
    if (aborted.hasRejected && aborted.error !== REASON) wrong.push(`call ${aborted.call}: ${String(aborted.error)}`)
  })
  expect(wrong).toEqual([])
  expect(published).toBeLessThan(0.6)
})

test("a restore that is aborted at any call rejects with the reason and leaves the work tree as it was, or is done", async () => {
  const { start, target } = await startedMemory()
  const wrong: string[] = []
  const before = folderContent(start.disk, WORKTREE)
  const done = await abortedAtEachCall(start, (store, signal) => store.restore(target, { signal }), async (memory, aborted) => {
    const content = folderContent(memory.disk, WORKTREE)
    const left = [...(await leftovers(memory.fileSystem, GITDIR)), ...(await brokenRefs(CHECK, memory.fileSystem, GITDIR))]
    wrong.push(...left.map((path) => `call ${aborted.call}: ${path}`))
    if (aborted.hasRejected && aborted.error !== REASON) wrong.push(`call ${aborted.call}: ${String(aborted.error)}`)
    const expected = aborted.hasRejected ? before : { ...THEN_CONTENT(memory) }
    for (const path of new Set([...Object.keys(expected), ...Object.keys(content)]))
      if (content[path] !== expected[path])
        wrong.push(`call ${aborted.call}, ${aborted.hasRejected ? "aborted" : "done"}: ${path} is ${content[path]}`)
  })
  expect(wrong).toEqual([])
  expect(done).toBeLessThan(0.6)
})

const REASON = new Error("enough")

const THEN_CONTENT = (memory: Memory): Readonly<Record<string, string>> => {
  const scratch = newMemory()
  writeFolder(scratch.disk, WORKTREE, THEN)
  void memory
  return folderContent(scratch.disk, WORKTREE)
}
