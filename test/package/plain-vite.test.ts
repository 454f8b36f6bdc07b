import { spawnSync } from "node:child_process"
import { cp } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright"
import { preview } from "vite"
import { expect, onTestFinished, test } from "vitest"
import { findChromium } from "../support/chromium.js"
import { installPackage } from "../support/installed-package.js"
import { bundleMemfs } from "../support/memfs-for-browsers.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const PROJECT = fileURLToPath(new URL("../browser/plain-vite", import.meta.url))
const VITE = fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url))
const USUAL = /^(vite v|transforming|✓ |rendering chunks|computing gzip size|dist\/)/

test("a plain Vite project captures, diffs and restores in Chromium, with no configuration and no warning", async () => {
  const project = await temporaryFolder()
  await cp(PROJECT, project, { recursive: true })
  installPackage(project)
  await bundleMemfs(join(project, "node_modules", "memfs"))

  expect(complaintsOfBuild(project)).toEqual([])

  const { outcome, complaints } = await open(project)
  expect(complaints).toEqual([])
  expect(outcome).toEqual({
    bufferWasThere: false,
    bufferWasBrought: true,
    processIsThere: false,
    tree: "2c718997f72b7a8cbdf3a94901b53d299ec2b71e",
    changed: [
      { status: "modified", path: "README.md", additions: 1, deletions: 1 },
      { status: "added", path: "added.txt", additions: 1, deletions: 0 },
      { status: "deleted", path: "src/removed.txt", additions: 0, deletions: 1 },
    ],
    complete: true,
    files: {
      "/project/README.md": "one\ntwo\n",
      "/project/src/deep/kept.txt": "kept\n",
      "/project/src/removed.txt": "removed\n",
    },
    listed: [undefined, "before"],
  })
})

/* What `vite build` prints, apart from what it tells of every build that goes well. */
function complaintsOfBuild(project: string): readonly string[] {
  const env = { PATH: process.env["PATH"], NO_COLOR: "1" }
  const done = spawnSync(process.execPath, [VITE, "build"], { cwd: project, env, encoding: "utf8" })
  const lines = `${done.stdout}${done.stderr}`.split("\n").filter((line) => line !== "")
  return lines.filter((line) => !USUAL.test(line))
}

/* What the built page came to, and everything that it complained of in the console. */
async function open(project: string): Promise<{ readonly outcome: unknown; readonly complaints: readonly string[] }> {
  const server = await preview({ root: project, logLevel: "silent", preview: { host: "127.0.0.1", port: 0 } })
  onTestFinished(() => server.close())
  const browser = await chromium.launch(findChromium())
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const complaints: string[] = []
  page.on("pageerror", (error) => complaints.push(error.message))
  page.on("console", (message) => {
    if (message.type() === "warning" || message.type() === "error") complaints.push(message.text())
  })
  await page.goto(server.resolvedUrls?.local[0] ?? "")
  const outcome: unknown = await page.evaluate("outcome")
  return { outcome, complaints }
}
