import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { memDisk, nodeDisk, updateFolder, writeFolder, type Disk } from "../support/disk.js"
import { describedContent, folderContent } from "../support/folder-content.js"
import { applyEdits, randomEdits, randomFolder, type Edit, type RandomFolder } from "../support/random-folder.js"
import { byteText } from "../support/random-names.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** A step of a history: work, then a capture; or back to what an earlier capture held, as `to` picks. */
type Step = { readonly edits: readonly Edit[] } | { readonly to: number }

const SHAPE = { maxItems: 6 } as const

const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ edits: randomEdits(SHAPE, 6) }),
    fc.record({ edits: fc.constant([]), to: fc.nat(99) }).map(({ to }) => ({ to })),
  ),
  { minLength: 2, maxLength: 8 },
)

test("whatever is edited, a restore gives the folder exactly as it was captured, on node:fs and on memfs alike", async () => {
  const base = await temporaryFolder()
  let count = 0
  await fc.assert(
    fc.asyncProperty(randomFolder(SHAPE), history, async (folder, steps) => {
      const root = join(base, `${count++}`)
      const onDisk = await play(nodeDisk, root, folder, steps, (gitdir) =>
        openStore({ worktree: root, gitdir, durability: "process" }),
      )
      const memory = memDisk()
      const inMemory = await play(memory, "/work", folder, steps, (gitdir) =>
        openStore({ worktree: "/work", gitdir, fs: memory.client as never, durability: "process" }),
      )
      expect(inMemory).toEqual(onDisk)
    }),
    { numRuns: 40 },
  )
})

/** Plays a history and gives the oids of the trees that were captured. */
async function play(
  disk: Disk,
  root: string,
  folder: RandomFolder,
  steps: readonly Step[],
  open: (gitdir: string) => Promise<SnapshotStore>,
): Promise<string[]> {
  const at = byteText(root)
  writeFolder(disk, at, folder)
  const store = await open(`${root}.store`)
  const first = await store.capture()
  const captured = [{ folder, snapshot: first.snapshot }]
  let [now, same] = [folder, first.snapshot.id]
  for (const step of steps) {
    const before = now
    if ("edits" in step) {
      now = applyEdits(before, step.edits)
      updateFolder(disk, at, before, now)
      const { snapshot } = await store.capture()
      captured.push({ folder: now, snapshot })
      same = snapshot.id
    } else {
      const target = captured[step.to % captured.length] ?? { folder, snapshot: first.snapshot }
      const report = await store.restore(target.snapshot.id)
      now = target.folder
      same = target.snapshot.id
      expect(report.outcomes.filter(({ action }) => action === "kept" || action === "failed")).toEqual([])
      expect(report.complete).toBe(true)
    }
    expect(folderContent(disk, at)).toEqual(describedContent(disk, now))
    expect(await store.changes(same)).toEqual([])
  }
  await store.close()
  return captured.map(({ snapshot }) => snapshot.tree)
}
