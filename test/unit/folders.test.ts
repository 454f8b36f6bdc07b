import fs from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import type { FileSystem, FolderHandle } from "../../src/core/file-system.js"
import { PLAIN_MANIFEST, PLAIN_PERMISSIONS, type Manifest, type Permissions } from "../../src/core/manifest.js"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import { ROOT, type RepoPath } from "../../src/core/path.js"
import type { TreeEntry } from "../../src/core/tree.js"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { worktreeFolders, type Folders } from "../../src/tree/folders.js"
import { changedPermissions, permissionsAt } from "../../src/tree/permissions.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const path = (text: string): RepoPath => text as RepoPath

interface Tree {
  readonly root: string
  readonly held: Folders
  /** How many folders were opened so far, and how many of them are open. */
  readonly count: { opened: number; open: number }
}

async function tree(...folders: readonly string[]): Promise<Tree> {
  const root = await temporaryFolder()
  for (const folder of folders) fs.mkdirSync(join(root, folder), { recursive: true })
  const count = { opened: 0, open: 0 }
  return { root, count, held: worktreeFolders(counting(nodeFileSystem(), count), root) }
}

function counting(inner: FileSystem, count: Tree["count"]): FileSystem {
  const openFolder = async (address: string): Promise<FolderHandle> => {
    const handle = await inner.openFolder(address)
    count.opened++
    count.open++
    let closed = false
    const close = (): Promise<void> => {
      if (!closed) count.open--
      closed = true
      return handle.close()
    }
    return {
      address: handle.address,
      at: (name) => handle.at(name),
      stat: () => handle.stat(),
      check: () => handle.check(),
      close,
    }
  }
  return new Proxy(inner, {
    get(target, name): unknown {
      const value: unknown = name === "openFolder" ? openFolder : Reflect.get(target, name)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

test("a folder is reached from its parent, and held by many it is opened once", async () => {
  const { held, count } = await tree("a/b/c")
  await Promise.all([1, 2, 3].map(() => held.within(path("a/b/c"), async () => {})))
  expect(count.opened).toBe(4)
  await held.close()
  expect(count.open).toBe(0)
})

test("what is missing, a file, a link, or behind a link is no folder", async () => {
  const { held, root, count } = await tree("a")
  fs.writeFileSync(join(root, "file"), "x")
  fs.symlinkSync("a", join(root, "link"))
  fs.mkdirSync(join(root, "a/in"))
  for (const name of ["none", "file", "link", "none/in", "file/in", "link/in"]) {
    expect(await held.hold(path(name)), name).toBeUndefined()
    expect(await held.within(path(name), async () => "there"), name).toBeUndefined()
  }
  expect(await held.within(path("a/in"), async () => "there")).toBe("there")
  await held.close()
  expect(count.open).toBe(0)
})

test("a folder that was not there is looked for again", async () => {
  const { held, root } = await tree()
  expect(await held.hold(path("later"))).toBeUndefined()
  fs.mkdirSync(join(root, "later"))
  expect(await held.within(path("later"), async () => "there")).toBe("there")
  await held.close()
})

test("a folder that is forgotten is opened anew, with those inside; who holds it keeps it until it is released", async () => {
  const { held, root, count } = await tree("a/b", "ab")
  fs.writeFileSync(join(root, "a/b/old"), "x")
  const before = await held.hold(path("a/b"))
  await held.within(path("ab"), async () => {})
  fs.renameSync(join(root, "a"), join(root, "moved"))
  fs.mkdirSync(join(root, "a/b"), { recursive: true })
  held.forget(path("a"))
  expect(await held.within(path("a/b"), (folder) => nodeFileSystem().list(folder.address))).toEqual([])
  if (before !== undefined && nodeFileSystem().traits.folderHandles)
    expect(await nodeFileSystem().list(before.handle.address)).toEqual([{ name: "old", kind: "file" }])
  await before?.release()
  await held.close()
  expect(count.open).toBe(0)
})

test("no more than some 64 idle folders stay open, and none after close", async () => {
  const names = Array.from({ length: 200 }, (_, i) => `folder-${i}`)
  const { held, count } = await tree(...names)
  for (const name of names) await held.within(path(name), async () => {})
  expect(count.open).toBeLessThanOrEqual(65)
  await held.within(path("folder-0"), async () => {})
  await held.close()
  expect(count.open).toBe(0)
})

test("a step that throws releases its folder, and the error comes through", async () => {
  const { held, count } = await tree("a")
  const failure = new Error("the step's own")
  await expect(held.within(path("a"), () => Promise.reject(failure))).rejects.toBe(failure)
  await held.close()
  expect(count.open).toBe(0)
})

test("a folder that cannot be opened fails for all who wait for it, and is tried again", async () => {
  const root = await temporaryFolder()
  fs.mkdirSync(join(root, "a"))
  const fault = { call: 1, kind: "openFolder", path: "/a", how: "fail", errno: "EMFILE" } as const
  const count = { opened: 0, open: 0 }
  const held = worktreeFolders(faultyFileSystem(counting(nodeFileSystem(), count), [fault]), root)
  const both = await Promise.allSettled([1, 2].map(() => held.within(path("a"), async () => "there")))
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"])
  expect(await held.within(path("a"), async () => "there")).toBe("there")
  await held.close()
  expect(count).toEqual({ opened: 2, open: 0 })
})

test("the root is held like any other folder", async () => {
  const { held, root } = await tree("a")
  expect(await held.within(ROOT, (folder) => nodeFileSystem().list(folder.address))).toEqual([
    { name: "a", kind: "folder" },
  ])
  fs.rmSync(root, { recursive: true })
  await held.close()
  expect(await worktreeFolders(nodeFileSystem(), root).hold(ROOT)).toBeUndefined()
})

test("a path's bits are its exception, else those of its kind; a name such as constructor is no exception", () => {
  const permissions = { file: 0o644, executable: 0o755, folder: 0o750, exceptions: { a: 0o600 } }
  expect(permissionsAt(permissions, "a", "100644")).toBe(0o600)
  expect(permissionsAt(permissions, "constructor", "100644")).toBe(0o644)
  expect(permissionsAt(permissions, "x", "100755")).toBe(0o755)
  expect(permissionsAt(permissions, "f", "40000")).toBe(0o750)
  expect(permissionsAt(permissions, "l", "120000")).toBeUndefined()
  expect(permissionsAt(permissions, "m", "160000")).toBeUndefined()
})

test("bits may differ for the exceptions of either side, and for all of a kind whose common bits differ", async () => {
  const inner = "1".repeat(40) as Oid
  const entries: Record<string, readonly TreeEntry[]> = {
    [EMPTY_TREE]: [
      { mode: "100644", name: "file", oid: inner },
      { mode: "100755", name: "script", oid: inner },
      { mode: "40000", name: "folder", oid: inner },
    ],
    [inner]: [{ mode: "100644", name: "in", oid: inner }],
  }
  const read = async (oid: Oid): Promise<readonly TreeEntry[]> => entries[oid] ?? []
  const withBits = (permissions: Partial<Permissions>): Manifest => ({
    ...PLAIN_MANIFEST,
    permissions: { ...PLAIN_PERMISSIONS, ...permissions },
  })
  const one = withBits({ exceptions: { a: 0o600 } })
  const other = withBits({ exceptions: { b: 0o600 } })
  expect([...(await changedPermissions(read, EMPTY_TREE, one, other))].toSorted()).toEqual(["a", "b"])
  const group = withBits({ file: 0o664 })
  expect([...(await changedPermissions(read, EMPTY_TREE, group, other))].toSorted()).toEqual(["b", "file", "folder/in"])
})
