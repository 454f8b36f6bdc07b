import { expect, test } from "vitest"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { newMemory, storeOn, WORKTREE } from "../support/store-on.js"

test("a file that is saved twice while it is replaced keeps both contents, and the outcome says where", async () => {
  const { disk, fileSystem } = newMemory()
  const { fs } = disk
  const path = `${WORKTREE}/folder/a`
  fs.mkdirSync(`${WORKTREE}/folder`, { recursive: true })
  fs.writeFileSync(path, "then")
  const first = await storeOn(fileSystem)
  const { snapshot } = await first.capture()
  await first.close()
  fs.writeFileSync(path, "now")
  const store = await storeOn(
    faultyFileSystem(fileSystem, [], async (call, make) => {
      // An editor saves just before the file is moved aside, and again before it is put back.
      if (call.kind === "rename" && call.path.includes("/.treeshot-")) fs.writeFileSync(path, "saved once")
      const result = await make()
      if (call.kind === "rename" && call.path.includes("/.treeshot-")) fs.writeFileSync(path, "saved twice")
      return result
    }),
  )
  const report = await store.restore(snapshot.id)
  expect(report.complete).toBe(false)
  const [outcome] = report.outcomes
  expect(outcome).toMatchObject({ path: "folder/a", action: "failed", reason: "EEXIST" })
  expect(outcome?.aside).toMatch(/^folder\/\.treeshot-[0-9a-f]{32}$/)
  expect(fs.readFileSync(`${WORKTREE}/${outcome?.aside}`, "utf8")).toBe("saved once")
  expect(fs.readFileSync(path, "utf8")).toBe("saved twice")
})
