import fs from "node:fs"
import { join } from "node:path"
import { expect, onTestFinished, test, vi } from "vitest"
import { openStore } from "../../src/index.js"
import { temporaryFolder } from "../support/temporary-folder.js"

test("the default store is in XDG_DATA_HOME, for the user only, and the same for every way to its folder", async () => {
  const scratch = await temporaryFolder()
  vi.stubEnv("XDG_DATA_HOME", join(scratch, "own"))
  onTestFinished(() => void vi.unstubAllEnvs())
  fs.mkdirSync(join(scratch, "work"))
  fs.symlinkSync("work", join(scratch, "link"))
  const store = await openStore({ worktree: join(scratch, "work") })
  const same = await openStore({ worktree: join(scratch, "link") })
  expect(store.gitdir.startsWith(join(scratch, "own/treeshot/stores/work-"))).toBe(true)
  expect(same.gitdir).toBe(store.gitdir)
  expect(fs.statSync(store.gitdir).mode & 0o777).toBe(0o700)
  await store.close()
  await same.close()
})

test("a relative XDG_DATA_HOME does not count, and nothing is made in the current folder", async () => {
  const scratch = await temporaryFolder()
  vi.stubEnv("XDG_DATA_HOME", "relative")
  vi.stubEnv("HOME", scratch)
  onTestFinished(() => void vi.unstubAllEnvs())
  fs.mkdirSync(join(scratch, "work"))
  const store = await openStore({ worktree: join(scratch, "work") })
  await store.close()
  expect(store.gitdir.startsWith(join(scratch, ".local/share/treeshot/stores/"))).toBe(true)
  expect(fs.existsSync("relative")).toBe(false)
})

test("a file system that has not the shape of node:fs is refused", async () => {
  for (const wrong of [null, {}, 7])
    await expect(openStore({ worktree: "/", fs: wrong as unknown as typeof fs })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      details: { argument: "fs" },
    })
})

test("a backslash in a path is part of a name, and never leads to another folder", async () => {
  const scratch = await temporaryFolder()
  for (const [folder, text] of [
    ["a\\b", "mine"],
    ["a/b", "another's"],
  ] as const) {
    fs.mkdirSync(join(scratch, folder), { recursive: true })
    fs.writeFileSync(join(scratch, folder, "file"), text)
  }
  const store = await openStore({ worktree: `${scratch}/a\\b`, gitdir: `${scratch}/g\\h` })
  await store.capture()
  expect(Buffer.from((await store.readFile("latest", "file")) ?? []).toString()).toBe("mine")
  await store.close()
  expect([fs.existsSync(join(scratch, "g\\h/HEAD")), fs.existsSync(join(scratch, "g"))]).toEqual([true, false])
})
