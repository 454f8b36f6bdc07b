import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { memDisk, nodeDisk, updateFolder, writeFolder, type Disk } from "../support/disk.js"
import { gitIsThere } from "../support/git.js"
import { describedContent, folderContent } from "../support/folder-content.js"
import {
  applyEdits,
  EMPTY_FOLDER,
  randomEdits,
  randomFolder,
  type Edit,
  type RandomFolder,
  type RandomItem,
} from "../support/random-folder.js"
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

/** What can stand at a path, or not, before and after. */
const FORMS: Readonly<Record<string, RandomItem | undefined>> = {
  none: undefined,
  file: { kind: "file", bytes: Buffer.from("x"), permissions: 0o644 },
  private: { kind: "file", bytes: Buffer.from("x"), permissions: 0o600 },
  program: { kind: "file", bytes: Buffer.from("x"), permissions: 0o755 },
  other: { kind: "file", bytes: Buffer.from("y"), permissions: 0o644 },
  link: { kind: "link", text: "nowhere" },
  "link to a folder": { kind: "link", text: ".." },
  "empty folder": EMPTY_FOLDER,
  "empty private folder": { ...EMPTY_FOLDER, permissions: 0o700 },
  folder: folderOf({ x: { kind: "file", bytes: Buffer.from("x"), permissions: 0o644 } }),
  "private folder": folderOf({ x: { kind: "file", bytes: Buffer.from("x"), permissions: 0o644 } }, 0o700),
  "folder of an empty folder": folderOf({ e: EMPTY_FOLDER }),
  "folder of a private folder of an empty folder": folderOf({ e: folderOf({ f: EMPTY_FOLDER }, 0o700) }),
  "folder of a folder of a link": folderOf({ e: folderOf({ f: { kind: "link", text: "nowhere" } }) }),
}

const PLACES = ["node:fs", "memfs", ...(gitIsThere() ? ["node:fs and native git"] : [])]

test.for(PLACES)("on %s, a restore puts anything back in the place of anything else", async (kind) => {
  const memory = memDisk()
  const [disk, root, given] =
    kind === "memfs"
      ? [memory, "/work", { fs: memory.client as never }]
      : [nodeDisk, join(await temporaryFolder(), "work"), kind === "node:fs" ? {} : { backend: "native" as const }]
  const pairs = Object.keys(FORMS).flatMap((then) => Object.keys(FORMS).map((now) => ({ then, now })))
  const all = (when: "then" | "now"): RandomFolder =>
    folderOf(
      Object.fromEntries(
        pairs.map((pair) => {
          const item = FORMS[pair[when]]
          const beside = pair.then.length % 2 === 0 ? { beside: EMPTY_FOLDER } : {}
          return [`${pair.then} over ${pair.now}`, folderOf({ ...beside, ...(item && { it: item }) })]
        }),
      ),
    )
  writeFolder(disk, byteText(root), all("then"))
  const store = await openStore({ worktree: root, gitdir: `${root}.store`, ...given })
  const { snapshot } = await store.capture()
  updateFolder(disk, byteText(root), all("then"), all("now"))
  const report = await store.restore(snapshot.id)
  expect(folderContent(disk, byteText(root))).toEqual(describedContent(disk, all("then")))
  expect(report.complete).toBe(true)
  // What the restore replaced is in the safety snapshot.
  await store.restore(report.undo?.id ?? "")
  expect(folderContent(disk, byteText(root))).toEqual(describedContent(disk, all("now")))
  await store.close()
})

test("whatever is edited, all three give the same trees, changes, patches and bytes, and a restore gives the folder exactly as it was captured", async () => {
  const base = await temporaryFolder()
  let count = 0
  await fc.assert(
    fc.asyncProperty(randomFolder(SHAPE), history, async (folder, steps) => {
      const told: unknown[] = []
      for (const backend of ["pure", ...(gitIsThere() ? ["native" as const] : [])] as const) {
        const root = join(base, `${count++}`)
        const open = (gitdir: string): Promise<SnapshotStore> =>
          openStore({ worktree: root, gitdir, backend, durability: "process" })
        told.push(await play(nodeDisk, root, folder, steps, open))
      }
      const memory = memDisk()
      told.push(
        await play(memory, "/work", folder, steps, (gitdir) =>
          openStore({ worktree: "/work", gitdir, fs: memory.client as never, durability: "process" }),
        ),
      )
      for (const other of told.slice(1)) expect(other).toEqual(told[0])
    }),
    { numRuns: 12 },
  )
})

/** Plays a history and gives all that the store told of it: trees, changes and patches. */
async function play(
  disk: Disk,
  root: string,
  folder: RandomFolder,
  steps: readonly Step[],
  open: (gitdir: string) => Promise<SnapshotStore>,
): Promise<unknown[]> {
  const at = byteText(root)
  writeFolder(disk, at, folder)
  const store = await open(`${root}.store`)
  const first = await store.capture()
  const captured = [{ folder, snapshot: first.snapshot }]
  const told: unknown[] = [first.snapshot.tree, first.skipped]
  let [now, same] = [folder, first.snapshot.id]
  for (const step of steps) {
    const before = now
    if ("edits" in step) {
      now = applyEdits(before, step.edits)
      updateFolder(disk, at, before, now)
      told.push(await store.changes(same))
      const { snapshot, skipped, changed } = await store.capture()
      told.push(snapshot.tree, skipped, changed)
      told.push(
        await store.diff(same, snapshot.id),
        Buffer.from(await store.patch(snapshot.id, same)).toString("latin1"),
      )
      captured.push({ folder: now, snapshot })
      same = snapshot.id
    } else {
      const target = captured[step.to % captured.length] ?? { folder, snapshot: first.snapshot }
      const report = await store.restore(target.snapshot.id)
      now = target.folder
      same = target.snapshot.id
      told.push(report.outcomes)
      expect(report.outcomes.filter(({ action }) => action === "kept" || action === "failed")).toEqual([])
      expect(report.complete).toBe(true)
    }
    expect(folderContent(disk, at)).toEqual(describedContent(disk, now))
    expect(await store.changes(same)).toEqual([])
  }
  await store.close()
  return told
}

function folderOf(items: Readonly<Record<string, RandomItem>>, permissions: number = 0o755): RandomFolder {
  return { kind: "folder", permissions, items: new Map(Object.entries(items)) }
}
