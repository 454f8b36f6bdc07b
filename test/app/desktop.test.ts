import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { browserForTests, inspect, SIZES, WAIT_MS } from "../support/page-in-chromium.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const CLI = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))
const open = browserForTests()

test.for(SIZES)(
  "a server that is killed under treeshot desktop is missed, and found again at its new address, $name",
  async (size) => {
    const folder = await temporaryFolder()
    const worktree = join(folder, "project")
    await mkdir(worktree)
    await writeFile(join(worktree, "file.txt"), "one\n")
    const { url, desktop } = await startDesktop(worktree, join(folder, "store.git"))
    const { page } = await open(url, size)
    await page.getByText("There is no snapshot yet.").first().waitFor()
    await page.keyboard.press("n")
    await page.getByRole("textbox", { name: "Label" }).fill("before the crash")
    await page.keyboard.press("Enter")
    await page.getByRole("option", { name: "before the crash" }).click()
    await page.getByRole("heading", { name: "before the crash" }).waitFor()

    const first = await serverOf(url)
    // It cannot come back before the page has missed it.
    await page.route("**/address", (route) => route.fulfill({ status: 503, json: {} }))
    process.kill(first.pid, "SIGKILL")
    await page.getByText("The server is gone. Trying again …").waitFor()
    const wrong = await inspect(page, `desktop-lost-${size.name}`)
    expect(await page.getByRole("button", { name: "Capture", exact: true }).isDisabled()).toBe(true)

    await page.unroute("**/address")
    await page.getByText("The server is gone. Trying again …").waitFor({ state: "detached" })
    const second = await serverOf(url)
    expect(second.url).not.toBe(first.url)
    await writeFile(join(worktree, "file.txt"), "two\n")
    if (size.name === "narrow") await page.getByRole("button", { name: "Timeline" }).click()
    await page.getByText("1 file changed since the newest snapshot").waitFor()
    await page.keyboard.press("n")
    await page.getByRole("textbox", { name: "Label" }).fill("after the crash")
    await page.keyboard.press("Enter")
    await page.getByRole("option", { name: "after the crash" }).click()
    await page.getByRole("heading", { name: "after the crash" }).waitFor()
    await page.getByRole("region", { name: "Files that differ" }).getByText("two").waitFor()
    expect(wrong).toEqual([])

    desktop.kill("SIGTERM")
    await once(desktop, "exit")
  },
)

interface Desktop {
  readonly url: string
  readonly desktop: ChildProcess
}

async function startDesktop(worktree: string, store: string): Promise<Desktop> {
  const args = [CLI, "desktop", "--no-open", "--json", "-C", worktree, "--store", store]
  const desktop = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  onTestFinished(async () => {
    if (desktop.exitCode !== null || desktop.signalCode !== null) return
    desktop.kill("SIGTERM")
    await once(desktop, "exit")
  })
  const lines = createInterface(desktop.stdout)
  const [line] = (await once(lines, "line")) as [string]
  const { url } = JSON.parse(line) as { readonly url: string }
  return { url, desktop }
}

/* Asks as the page does, for as long as there is no server yet. */
async function serverOf(url: string): Promise<{ readonly url: string; readonly pid: number }> {
  const found = await expect
    .poll(() => healthOf(url), { timeout: WAIT_MS })
    .toBeDefined()
    .then(() => healthOf(url))
  if (found === undefined) throw new Error("the server went away again")
  return found
}

async function healthOf(url: string): Promise<{ readonly url: string; readonly pid: number } | undefined> {
  try {
    const address = (await (await fetch(new URL("address", url))).json()) as {
      readonly url: string
      readonly token: string
    }
    const headers = { authorization: `Bearer ${address.token}` }
    const health = (await (await fetch(`${address.url}/api/health`, { headers })).json()) as { readonly pid: number }
    return { url: address.url, pid: health.pid }
  } catch {
    return undefined
  }
}
