import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Locator, Page } from "playwright"
import { expect, onTestFinished, test } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { addSnapshots } from "../support/many-snapshots.js"
import { browserForTests, SIZES, WAIT_MS } from "../support/page-in-chromium.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const CLI = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url))
const open = browserForTests()
/* A page without a single row has some 200 elements. */
const FEW = 4_000

test("10,000 snapshots are gone through from end to end, with few elements at any moment", async () => {
  const folder = await temporaryFolder()
  const first = await openIn(folder)
  const trees: string[] = []
  for (const text of ["one\n", "two\n"]) {
    await writeFile(join(folder, "work", "file.txt"), text)
    trees.push((await first.capture()).snapshot.tree)
  }
  await first.close()
  addSnapshots(first, trees, 9_998)

  const page = await pageOn(await openIn(folder))
  await page.getByRole("button", { name: "10,000 snapshots" }).waitFor()
  const list = page.getByRole("listbox")
  await list.focus()
  await page.keyboard.press("End")
  await page.getByRole("heading", { name: "step 1", exact: true }).waitFor()
  await page.getByRole("option", { name: "step 1", exact: false }).first().waitFor()
  await page.keyboard.press("Home")
  await page.getByRole("heading", { name: "The folder now" }).waitFor()

  const seen = new Set<string>()
  let most = 0
  for (let part = 0; part <= 20; part++) {
    await scrollTo(list, part / 20)
    await page.getByRole("option").nth(2).waitFor()
    for (const text of await page.locator(".snapshot-row .row-title").allTextContents()) seen.add(text)
    most = Math.max(most, await elementsOf(page))
  }
  // What is in view gets its numbers, wherever it is.
  await expect.poll(() => page.locator(".snapshot-row").first().textContent(), { timeout: WAIT_MS }).toContain("1 file")
  expect(most).toBeLessThan(FEW)
  expect(seen.size).toBeGreaterThan(150)
})

test("a diff of 5,000 files is gone through from end to end, with few elements at any moment", async () => {
  const folder = await temporaryFolder()
  const store = await openIn(folder)
  await store.capture({ label: "before" })
  for (let number = 0; number < 5_000; number++) {
    const place = join(folder, "work", `part-${String(Math.floor(number / 100)).padStart(2, "0")}`)
    if (number % 100 === 0) await mkdir(place)
    await writeFile(join(place, `file-${String(number).padStart(4, "0")}.txt`), `the lines\nof file ${number}\n`)
  }
  await store.capture({ label: "after" })

  const page = await pageOn(store)
  await page.getByRole("option", { name: "after" }).click()
  await page.getByText("5,000 files").first().waitFor()
  const list = page.getByRole("region", { name: "Files that differ" })
  let most = 0
  const seen = new Set<string>()
  for (let part = 0; part <= 20; part++) {
    await scrollTo(list, part / 20)
    await list.locator(".d2h-diff-table").first().waitFor()
    for (const text of await list.locator(".path-file").allTextContents()) seen.add(text)
    most = Math.max(most, await elementsOf(page))
  }
  expect(most).toBeLessThan(FEW)
  expect([...seen]).toEqual(expect.arrayContaining(["file-0000.txt", "file-4999.txt"]))

  await page.keyboard.press("/")
  await page.keyboard.type("file-1234")
  await page.getByText("1 of 5,000 files").waitFor()
  await list.getByText("of file 1234").waitFor()

  await page.keyboard.press("Escape")
  await page.keyboard.press("t")
  const dialog = page.getByRole("dialog")
  await dialog.getByText("5,000 to delete").waitFor()
  await scrollTo(dialog.getByRole("group", { name: "Files of the plan" }), 1)
  await dialog.getByText("file-4999.txt").waitFor()
  expect(await elementsOf(page)).toBeLessThan(FEW)
})

async function openIn(folder: string): Promise<SnapshotStore> {
  await mkdir(join(folder, "work"), { recursive: true })
  const place = { worktree: join(folder, "work"), gitdir: join(folder, "store.git") }
  return openStore({ ...place, retention: false, durability: "process" })
}

/* The store behind a server of its own, as it is built: with its threads. */
async function pageOn(store: SnapshotStore): Promise<Page> {
  await store.close()
  const args = [CLI, "serve", "-C", store.worktree, "--store", store.gitdir]
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  onTestFinished(async () => {
    server.kill("SIGKILL")
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit")
  })
  for await (const line of createInterface(server.stdout)) {
    const url = /http:\S+/.exec(line)?.[0]
    if (url !== undefined) return (await open(url, SIZES[0])).page
  }
  throw new Error("the server ended before it was ready")
}

function scrollTo(list: Locator, part: number): Promise<void> {
  return list.evaluate((element, at) => element.scrollTo(0, at * (element.scrollHeight - element.clientHeight)), part)
}

function elementsOf(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelectorAll("*").length)
}
