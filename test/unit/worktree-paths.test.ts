import { expect, test } from "vitest"
import { readWorktreePaths } from "../../src/store/worktree-paths.js"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { GITDIR, newMemory, storeOn, type Memory } from "../support/store-on.js"

function place(): Memory {
  const memory = newMemory()
  for (const folder of ["/work/project", "/work/other"]) memory.disk.fs.mkdirSync(folder, { recursive: true })
  return memory
}

async function noted({ fileSystem }: Memory): Promise<unknown> {
  return Object.fromEntries((await readWorktreePaths(fileSystem, { gitdir: GITDIR })) ?? [])
}

test("a store says which work trees its workspaces were opened with, each once, the first one first", async () => {
  const memory = place()
  await storeOn(memory.fileSystem)
  await storeOn(memory.fileSystem)
  expect(await noted(memory)).toEqual({ project: ["/work/project"] })
  await storeOn(memory.fileSystem, { workspace: "second" })
  await storeOn(memory.fileSystem, { worktree: "/work/other" })
  expect(await noted(memory)).toEqual({ project: ["/work/project", "/work/other"], second: ["/work/project"] })
})

test("opening a store that knows its work tree writes nothing", async () => {
  const memory = place()
  await storeOn(memory.fileSystem)
  const recorded = faultyFileSystem(memory.fileSystem)
  await storeOn(recorded)
  expect(recorded.calls.filter(({ kind }) => ["rename", "file.write"].includes(kind))).toEqual([])
})

test.each(["", "{", "[]", '{"project":"/work/project"}', '{"project":[1]}', "\0\xff"])(
  "notes that hold %j tell nothing, and are written anew",
  async (text) => {
    const memory = place()
    await storeOn(memory.fileSystem)
    memory.disk.fs.writeFileSync(`${GITDIR}/worktrees.json`, Buffer.from(text, "latin1"))
    expect(await readWorktreePaths(memory.fileSystem, { gitdir: GITDIR })).toBeUndefined()
    await storeOn(memory.fileSystem)
    expect(await noted(memory)).toEqual({ project: ["/work/project"] })
  },
)

test("a gitdir that another tool made gets none", async () => {
  const memory = place()
  memory.disk.fs.mkdirSync(`${GITDIR}/objects`, { recursive: true })
  memory.disk.fs.mkdirSync(`${GITDIR}/refs`)
  memory.disk.fs.writeFileSync(`${GITDIR}/HEAD`, "ref: refs/heads/main\n")
  memory.disk.fs.writeFileSync(`${GITDIR}/config`, "[core]\n\tbare = true\n")
  await storeOn(memory.fileSystem)
  expect(memory.disk.names(GITDIR)).not.toContain("worktrees.json")
})

test("a store opens where they cannot be read or written", async () => {
  const memory = place()
  await storeOn(memory.fileSystem)
  for (const kind of ["readFile", "rename"] as const) {
    memory.disk.fs.writeFileSync(`${GITDIR}/worktrees.json`, "damaged")
    const faulty = faultyFileSystem(memory.fileSystem, [
      { call: 1, kind, path: "worktrees.json", how: "fail", errno: "EACCES" },
    ])
    expect(await (await storeOn(faulty)).list()).toEqual([])
  }
  expect(memory.disk.names(`${GITDIR}/tmp`)).toEqual([])
})
