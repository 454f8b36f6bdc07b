import { memfs } from "memfs"
import nodeFs from "node:fs"
import { homedir } from "node:os"
import { expect, test } from "vitest"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { webPlatform } from "../../src/platform/web/web-platform.js"

test("the platform on Node takes node:fs itself as no foreign client", async () => {
  const own = await nodePlatform()
  const given = await nodePlatform({ client: nodeFs })
  expect(given.fileSystem.traits).toEqual(own.fileSystem.traits)
})

test("the platform on Node works on a client, with the lister on the same files", async () => {
  const { fs } = memfs({ "/root/a.ts": "x" })
  const { fileSystem, lister } = await nodePlatform({ client: fs })
  expect(fileSystem.traits.folderHandles).toBe(false)
  expect((await lister.list("/root", ["*.ts"])).paths).toEqual(["a.ts"])
})

test("the environment is a copy of the process's, taken once", async () => {
  process.env["TREESHOT_TEST"] = "before"
  const { environment } = await nodePlatform()
  process.env["TREESHOT_TEST"] = "after"
  expect(environment.variables["TREESHOT_TEST"]).toBe("before")
  expect(environment.home).toBe(homedir())
  delete process.env["TREESHOT_TEST"]
})

test("the platform of the web takes nothing from outside", async () => {
  const { fs } = memfs({ "/root/a.ts": "x" })
  const platform = webPlatform(fs)
  expect(platform.environment).toEqual({ variables: {} })
  expect((await platform.lister.list("/root", ["*.ts"])).paths).toEqual(["a.ts"])
  expect(Math.abs(platform.clock.nowMs() - Date.now())).toBeLessThan(60_000)
})
