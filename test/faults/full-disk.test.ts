/*
 * Captures and restores on a disk that is nearly full, and stays so.
 */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { SnapshotError } from "../../src/core/errors.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { ioError } from "../../src/platform/io-error.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { folderOf, fileOf, linkOf } from "../support/described-folder.js"
import { nodeDisk, updateFolder, writeFolder, type Disk } from "../support/disk.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { folderContent } from "../support/folder-content.js"
import { brokenRefs, CHECK, copyOf, GITDIR, leftovers, newMemory, storeOn, WORKTREE } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const THEN = folderOf({
  "large.txt": fileOf(noise("then", 30_000)),
  "other.txt": fileOf(noise("other", 20_000)),
  "gone.txt": fileOf(noise("gone", 10_000)),
  swap: { "a.txt": "a", deep: { "b.txt": "b" } },
  link: linkOf("large.txt"),
})

const NOW = folderOf({
  "large.txt": fileOf(noise("now", 30_000)),
  "other.txt": fileOf(noise("another", 20_000)),
  "added.txt": fileOf(noise("added", 10_000)),
  swap: "a file",
  link: linkOf("other.txt"),
})

describe("on a disk that is full from some call on", () => {
  const start = newMemory()
  let target: string
  beforeAll(async () => {
    writeFolder(start.disk, WORKTREE, THEN)
    const store = await storeOn(start.fileSystem)
    target = (await store.capture()).snapshot.id
    await store.close()
    updateFolder(start.disk, WORKTREE, THEN, NOW)
  })

  test("a capture fails with NO_SPACE and leaves nothing half-made, whichever call it is", async () => {
    expect(await fullFromEachCall((store) => store.capture({ label: "new" }))).toEqual([])
  })

  test("a restore fails with NO_SPACE and leaves the work tree as it was, whichever call it is", async () => {
    expect(await fullFromEachCall((store) => store.restore(target))).toEqual([])
  })

  async function fullFromEachCall(call: (store: SnapshotStore) => Promise<unknown>): Promise<string[]> {
    const problems: string[] = []
    for (let first = 1, failures = 0; ; first++) {
      const memory = copyOf(start)
      let seen = 0
      let isOpen = false
      let hasFailed = false
      const files = faultyFileSystem(memory.fileSystem, [], (made, make) => {
        if (!isOpen || !TAKES_SPACE.has(made.kind) || ++seen < first) return make()
        hasFailed = true
        return Promise.reject(ioError(made.kind, made.path, { code: "ENOSPC" }))
      })
      const store = await storeOn(files)
      isOpen = true
      const found = await afterwards(memory.disk, memory.fileSystem, WORKTREE, GITDIR, store, () => call(store))
      problems.push(...found.map((problem) => `${problem} (full from write ${first} on)`))
      if (!hasFailed) {
        if (failures < 5) problems.push(`only ${failures} writes could fail`)
        return problems
      }
      failures++
    }
  }
})

describe.runIf(process.platform === "linux" && process.getuid?.() === 0)("on a real file system of 1 MiB", () => {
  test("a capture and a restore fail with NO_SPACE and leave nothing half-made, however little is free", async () => {
    const disk = await mounted()
    const [worktree, gitdir, ballast] = [join(disk, "project"), join(disk, "store.git"), join(disk, "ballast")]
    writeFolder(nodeDisk, worktree, THEN)
    const fileSystem = nodeFileSystem()
    const open = (): Promise<SnapshotStore> => storeOn(fileSystem, { worktree, gitdir })
    const first = await open()
    const { snapshot } = await first.capture()
    await first.close()
    updateFolder(nodeDisk, worktree, THEN, NOW)
    const problems: string[] = []
    const codes = new Set<string>()
    for (let freeBytes = 0; freeBytes <= 200_000; freeBytes += 12_288) {
      for (const step of ["capture", "restore"] as const) {
        const store = await open()
        fill(ballast, freeBytes)
        const found = await afterwards(nodeDisk, fileSystem, worktree, gitdir, store, async () => {
          try {
            await (step === "capture" ? store.capture({ label: "new" }) : store.restore(snapshot.id))
          } catch (error) {
            codes.add(`${step} ${error instanceof SnapshotError ? error.code : String(error)}`)
            throw error
          }
        })
        problems.push(...found.map((problem) => `${problem} (${step} with ${freeBytes} bytes free)`))
        rmSync(ballast)
        const again = await open()
        await again.capture()
        await again.close()
        if (step === "restore") {
          rmSync(worktree, { recursive: true })
          writeFolder(nodeDisk, worktree, NOW)
        }
      }
    }
    expect(problems).toEqual([])
    expect([...codes].sort()).toEqual(["capture NO_SPACE", "restore NO_SPACE"])
  })

  async function mounted(): Promise<string> {
    const folder = await temporaryFolder()
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder])
    onTestFinished(() => void execFileSync("umount", [folder]))
    mkdirSync(join(folder, "project"))
    return folder
  }

  /** Writes until no more goes in, and leaves so many bytes free. */
  function fill(ballast: string, freeBytes: number): void {
    writeFileSync(ballast, "")
    const chunk = Buffer.alloc(4096, 1)
    let written = 0
    try {
      for (;;) {
        writeFileSync(ballast, chunk, { flag: "a" })
        written += chunk.length
      }
    } catch {
      truncateSync(ballast, Math.max(0, written - freeBytes))
    }
  }
})

/** Makes the call; gives what is wrong with its error, the store and the work tree. */
async function afterwards(
  disk: Disk,
  fileSystem: FileSystem,
  worktree: string,
  gitdir: string,
  store: SnapshotStore,
  call: () => Promise<unknown>,
): Promise<string[]> {
  const before = folderContent(disk, worktree)
  const problems: string[] = []
  let hasFailed = false
  try {
    await call()
  } catch (error) {
    hasFailed = true
    if (!(error instanceof SnapshotError && error.code === "NO_SPACE")) problems.push(`rejected with ${String(error)}`)
  }
  await store.close()
  const after = folderContent(disk, worktree)
  for (const path of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (hasFailed && after[path] !== before[path]) problems.push(`${path} is ${after[path]}, was ${before[path]}`)
    if (path.includes(".treeshot-")) problems.push(`left ${path}`)
  }
  problems.push(...(await leftovers(fileSystem, gitdir)).map((path) => `left ${path}`))
  problems.push(...(await brokenRefs(CHECK, fileSystem, gitdir)))
  return problems
}

const TAKES_SPACE: ReadonlySet<string> = new Set(["file.write", "file.sync", "linkFile", "makeLink"])

/** Text that deflates to no less than half. */
function noise(seed: string, length: number): string {
  let text = ""
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)
  while (text.length < length) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    text += (state >>> 8).toString(36)
  }
  return text.slice(0, length)
}
