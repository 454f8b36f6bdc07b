import fs from "node:fs"
import { expect, test } from "vitest"
import { nodeFileSystem } from "../../src/platform/node/node-file-system.js"
import { folderOf, makeFolders } from "../../src/store/atomic-file.js"
import { temporaryFolder } from "../support/temporary-folder.js"

test("folders are made with those above them, and those that are there stay", async () => {
  const root = await temporaryFolder()
  for (let i = 0; i < 2; i++) await makeFolders(nodeFileSystem(), `${root}/a/b/c`, true, 0o700)
  expect(fs.statSync(`${root}/a/b/c`).mode & 0o777).toBe(0o700)
})

test("a link to nowhere on the way to a folder is an error, and not tried for ever", async () => {
  const root = await temporaryFolder()
  fs.symlinkSync("nowhere", `${root}/link`)
  await expect(makeFolders(nodeFileSystem(), `${root}/link/store`, true)).rejects.toMatchObject({
    code: "IO_FAILED",
    details: { errno: "ENOENT" },
  })
})

test("the folder of a path is what stands before its last slash", () => {
  expect(["/a/b", "/a", "a/b", "a"].map(folderOf)).toEqual(["/a", "/", "a", "."])
})
