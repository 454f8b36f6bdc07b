/*
 * A sample of the faults of capture.test.ts and restore.test.ts on node:fs, with its folder handles and its pool of
 * threads: calls overlap there, so the same number may strike another call each time.
 */
import { cpSync, rmSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { Platform } from "../../src/core/platform.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { fileOf, folderOf, linkOf } from "../support/described-folder.js"
import { nodeDisk, writeFolder } from "../support/disk.js"
import { isKill } from "../support/fault-variants.js"
import { faultyFileSystem, type Fault } from "../support/faulty-file-system.js"
import { folderContent, type FolderContent } from "../support/folder-content.js"
import { brokenRefs, leftovers, storeOn } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const THEN = folderOf({
  "a.txt": "then",
  "run.sh": fileOf("#!/bin/sh\n", 0o755),
  "folder-now-file": { "in.txt": "in", deep: { "x.txt": "x" } },
  "file-now-folder": "file",
  link: linkOf("a.txt"),
  closed: folderOf({ "in.txt": "in" }, 0o500),
  empty: {},
})

const NOW = folderOf({
  "a.txt": "now",
  "run.sh": fileOf("#!/bin/sh\n", 0o644),
  "folder-now-file": "file",
  "file-now-folder": folderOf({ "y.txt": "y" }, 0o711),
  link: linkOf("nowhere"),
  "added.txt": "added",
})

test("on node:fs, a capture in which a call fails leaves nothing half-made and the work tree as it is", async () => {
  expect(await faults((store) => store.capture({ label: "new" }))).toEqual([])
})

test("on node:fs, a restore in which a call fails leaves nothing in between, and has changed nothing when it throws", async () => {
  expect(await faults((store, target) => store.restore(target))).toEqual([])
})

const HOW: readonly Omit<Fault, "call">[] = [
  { how: "fail", errno: "EIO" },
  { how: "fail", errno: "ENOSPC" },
  { how: "kill" },
]

/** Every so many calls one fails. */
const STEP = 11

interface Place {
  readonly worktree: string
  readonly gitdir: string
}

/** What is wrong after `call`, in a run for each fault of the sample. */
async function faults(call: (store: SnapshotStore, target: string) => Promise<unknown>): Promise<string[]> {
  const folder = await temporaryFolder()
  const platform = await nodePlatform()
  const start: Place = { worktree: join(folder, "start"), gitdir: join(folder, "start.git") }
  const place: Place = { worktree: join(folder, "project"), gitdir: join(folder, "project.git") }
  writeFolder(nodeDisk, start.worktree, THEN)
  const first = await storeOn(platform.fileSystem, { ...start, platform })
  const { snapshot } = await first.capture()
  await first.close()

  const problems: string[] = []
  for (let run = 0; ; run++) {
    const fault: Fault = { call: 1 + run * STEP, ...(HOW[run % HOW.length] ?? { how: "kill" }) }
    for (const path of [place.worktree, place.gitdir]) rmSync(path, { recursive: true, force: true })
    cpSync(start.gitdir, place.gitdir, { recursive: true })
    writeFolder(nodeDisk, place.worktree, NOW)
    const before = folderContent(nodeDisk, place.worktree)
    const fileSystem = faultyFileSystem(platform.fileSystem, [fault])
    let failure: { readonly error: unknown } | undefined
    try {
      const store = await storeOn(fileSystem, { ...place, platform: { ...platform, fileSystem } })
      await call(store, snapshot.id)
    } catch (error) {
      failure = { error }
    }
    const found = await brokenRefs(platform, platform.fileSystem, place.gitdir)
    if (isKill(fault)) found.push(...(await nextCapture(platform, place)))
    else found.push(...(await afterFailure(platform, place, before, failure)))
    problems.push(...found.map((problem) => `${problem} (${fault.how} ${fault.errno ?? ""} at call ${fault.call})`))
    if (!fileSystem.struck) return run > 10 ? problems : [...problems, `only ${run} faults struck`]
  }
}

async function afterFailure(
  { fileSystem }: Platform,
  { worktree, gitdir }: Place,
  before: FolderContent,
  failure: { readonly error: unknown } | undefined,
): Promise<string[]> {
  const after = folderContent(nodeDisk, worktree)
  const problems = (await leftovers(fileSystem, gitdir)).map((path) => `left ${path}`)
  problems.push(...Object.keys(after).filter((path) => path.includes(".treeshot-")))
  if (failure === undefined) return problems
  if (!(failure.error instanceof SnapshotError)) problems.push(`rejected with ${String(failure.error)}`)
  for (const path of new Set([...Object.keys(before), ...Object.keys(after)]))
    if (before[path] !== after[path]) problems.push(`it threw, and ${path} is ${after[path]}, was ${before[path]}`)
  return problems
}

async function nextCapture(platform: Platform, place: Place): Promise<string[]> {
  const store = await storeOn(platform.fileSystem, { ...place, platform })
  const { skipped } = await store.capture({ label: "next" })
  await store.close()
  return skipped.filter(({ path }) => !path.includes(".treeshot-")).map(({ path }) => `skipped ${path}`)
}
