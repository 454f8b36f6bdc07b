import { expect, test } from "vitest"
import { faultyFileSystem } from "../support/faulty-file-system.js"
import { folderOf } from "../support/described-folder.js"
import { writeFolder } from "../support/disk.js"
import { newMemory, packsOf, storeOn, GITDIR, WORKTREE } from "../support/store-on.js"

const CAPTURES = 150

test("however many packs are folded, few of them are open at a time", { timeout: 300_000 }, async () => {
  const { disk, fileSystem } = newMemory()
  writeFolder(disk, WORKTREE, folderOf({ "a.txt": "" }))
  const capturing = await storeOn(fileSystem, { retention: false })
  for (let i = 0; i < CAPTURES; i++) {
    disk.fs.writeFileSync(`${WORKTREE}/a.txt`, `${i}`)
    await capturing.capture()
  }
  await capturing.close()
  expect(await packsOf(fileSystem, GITDIR)).toHaveLength(CAPTURES)
  let [open, most] = [0, 0]
  const watched = faultyFileSystem(fileSystem, [], async (call, make) => {
    const made = await make()
    if (call.path.endsWith(".pack") && call.kind === "open") most = Math.max(most, ++open)
    if (call.path.endsWith(".pack") && call.kind === "file.close") open--
    return made
  })
  const store = await storeOn(watched, { retention: false })
  expect(await store.maintain()).toMatchObject({ packsRemoved: CAPTURES, packsWritten: 1 })
  await store.close()
  expect(most).toBeGreaterThan(10)
  expect(most).toBeLessThan(CAPTURES - 20)
  expect(open).toBe(0)
})
