import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Locator, Page } from "playwright"
import { expect, onTestFinished, test } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { serveStore } from "../../src/server/store-server.js"
import { browserForTests, inspect, SIZES, WAIT_MS, type Size } from "../support/page-in-chromium.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const PAGE_FOLDER = fileURLToPath(new URL("../../dist/app", import.meta.url))
const open = browserForTests()

test.for(SIZES)("an empty store, its first snapshot, and an edit on disk that shows by itself, $name", async (size) => {
  const { worktree, store } = await project()
  await writeFile(join(worktree, "film.mov"), new Uint8Array(3_000_000))
  const { page, complaints } = await pageOn(store, size)
  await page.getByText("There is no snapshot yet.").first().waitFor()
  const wrong = await inspect(page, `served-empty-${size.name}`)

  await page.keyboard.press("n")
  await page.getByRole("textbox", { name: "Label" }).fill("the first one")
  await page.keyboard.press("Enter")
  await page.getByText("Captured. 1 path is not in it.").waitFor()
  await page.getByRole("button", { name: "Show" }).click()
  await page.getByText("New, and too large.").waitFor()
  wrong.push(...(await inspect(page, `served-skipped-${size.name}`)))
  await page.keyboard.press("Escape")
  await option(page, "the first one").click()
  await page.getByText("The first snapshot").waitFor()
  wrong.push(...(await inspect(page, `served-first-${size.name}`)))

  await writeFile(join(worktree, "src", "main.js"), "console.log(2)\n")
  await backToTimeline(page, size)
  await now(page).getByText("1 file changed since the newest snapshot").waitFor()
  await now(page).click()
  await files(page).getByText("console.log(2)").waitFor()
  wrong.push(...(await inspect(page, `served-live-${size.name}`)))

  // The lines follow the file while they are looked at.
  await writeFile(join(worktree, "src", "main.js"), "console.log(3)\n")
  await files(page).getByText("console.log(3)").waitFor()
  await rm(join(worktree, "src", "main.js"))
  await files(page).getByText("Deleted").waitFor({ state: "attached" })

  // So do captures, whoever makes them.
  await store.capture({ label: "by somebody else" })
  await backToTimeline(page, size)
  await option(page, "by somebody else").waitFor()
  await now(page).getByText("As in the newest snapshot").waitFor()
  expect(wrong).toEqual([])
  expect(complaints).toEqual([])
})

test.for(SIZES)(
  "a part is restored as the plan shows it, what was edited since is kept, and undo is one click, $name",
  async (size) => {
    const { worktree, store } = await project()
    await store.capture({ label: "before" })
    await writeFile(join(worktree, "src", "main.js"), "console.log(2)\n")
    await writeFile(join(worktree, "README.md"), "# changed\n")
    await writeFile(join(worktree, "added.txt"), "added\n")
    await writeFile(join(worktree, "notes.log"), "noise\n")
    await writeFile(join(worktree, ".gitignore"), "*.log\n")
    await store.capture({ label: "after" })
    const { page, complaints } = await pageOn(store, size)

    await option(page, "before").click()
    await page.getByRole("button", { name: "Restore …" }).click()
    const dialog = page.getByRole("dialog", { name: "Go back to “before”" })
    await dialog.getByText("2 to delete").waitFor()
    await dialog.getByText("2 to change").waitFor()
    await dialog.getByText("A rule ignores it now.").waitFor()
    const wrong = await inspect(page, `served-plan-${size.name}`)

    await dialog.getByRole("checkbox", { name: "Keep files that were added since" }).check()
    await dialog.getByText("It was added since.").first().waitFor()
    await dialog.getByRole("checkbox", { name: "Keep files that were added since" }).uncheck()
    await dialog.getByText("2 to delete").waitFor()

    await dialog.getByRole("checkbox", { name: ".gitignore" }).uncheck()
    // After the plan was shown: it would be lost, if the restore did not look again.
    await writeFile(join(worktree, "README.md"), "# edited meanwhile\n")
    await dialog.getByRole("button", { name: "Restore 3 of 4 files" }).click()
    await dialog.getByText("It changed meanwhile, or something is in its way.").waitFor()
    wrong.push(...(await inspect(page, `served-conflict-${size.name}`)))
    expect(await textsIn(worktree)).toEqual({
      "src/main.js": "console.log(1)\n",
      "README.md": "# edited meanwhile\n",
      "added.txt": undefined,
      ".gitignore": "*.log\n",
    })

    await page.keyboard.press("Escape")
    await page.getByRole("button", { name: "Undo" }).first().click()
    await page.getByText("2 files written").waitFor()
    expect(await textsIn(worktree)).toEqual({
      "src/main.js": "console.log(2)\n",
      "README.md": "# edited meanwhile\n",
      "added.txt": "added\n",
      ".gitignore": "*.log\n",
    })
    await backToTimeline(page, size)
    await page.getByRole("checkbox", { name: "Safety" }).check()
    await page.getByText("safety", { exact: true }).first().waitFor()
    wrong.push(...(await inspect(page, `served-safety-${size.name}`)))
    expect(wrong).toEqual([])
    expect(complaints).toEqual([])
  },
)

test.for(SIZES)("what lines cannot show is told in words, $name", async (size) => {
  const { worktree, store } = await project()
  const place = (name: string): string => join(worktree, name)
  await writeFile(place("tool.sh"), "#!/bin/sh\n")
  await writeFile(place("picture.bin"), Uint8Array.from([0, 1, 2, 255]))
  await writeFile(place("turns.txt"), "a file\n")
  await symlink("README.md", place("link"))
  await store.capture({ label: "before" })
  await chmod(place("tool.sh"), 0o755)
  await writeFile(place("picture.bin"), Uint8Array.from([0, 9, 9, 255]))
  await rm(place("turns.txt"))
  await symlink("src", place("turns.txt"))
  await rm(place("link"))
  await symlink("src/main.js", place("link"))
  await writeFile(place("empty.txt"), "")
  await writeFile(place("long.txt"), Array.from({ length: 3_000 }, (_, at) => `line ${at}\n`).join(""))
  await writeFile(place("tricky\u202Egpj.txt"), "x\u202Ey\n<img src=x onerror=alert(1)>\n")
  await store.capture({ label: "after" })
  const { page, complaints } = await pageOn(store, size)
  await option(page, "after").click()
  const list = files(page)
  const wrong: string[] = []
  for (const [path, words] of [
    ["tool.sh", "It can be executed now."],
    ["picture.bin", "A binary file: its content changed."],
    ["turns.txt", "It was a file, and is a link now."],
    ["link", "A link: its line is where it leads to."],
    ["empty.txt", "It is empty."],
    ["long.txt", "A large change: "],
    ["tricky", "x\\u{202E}y"],
  ] as const) {
    await page.getByRole("searchbox", { name: "Search files by path" }).fill(path)
    await list.getByText(words).first().waitFor()
    if (path === "picture.bin") wrong.push(...(await inspect(page, `served-words-${size.name}`)))
  }
  await list.getByText("<img src=x onerror=alert(1)>").waitFor()
  expect(await page.locator("img").count()).toBe(0)
  await page.getByRole("searchbox", { name: "Search files by path" }).fill("long.txt")
  await list.getByRole("button", { name: "Show 1,000 lines more" }).click()
  await list.getByText("line 1398", { exact: true }).waitFor({ state: "attached" })
  expect(wrong).toEqual([])
  expect(complaints).toEqual([])
})

test.for(SIZES)("what fails says why and can be tried again, and what takes long says so, $name", async (size) => {
  const { store } = await project()
  await store.capture({ label: "before" })
  await store.capture({ label: "after" })
  const { page } = await pageOn(store, size)
  await option(page, "after").waitFor()
  let answer: (() => void) | undefined
  await page.route("**/api/changes*", async (route) => {
    await new Promise<void>((resolve) => (answer = resolve))
    const error = { code: "OBJECT_MISSING", message: "The object 1234 is missing. Run verify with repair." }
    await route.fulfill({ status: 500, json: { error } }).catch(() => {})
  })
  await option(page, "after").click()
  await page.getByText("Comparing …").waitFor()
  const wrong = await inspect(page, `served-loading-${size.name}`)
  await expect.poll(() => answer !== undefined, { timeout: WAIT_MS }).toBe(true)
  const told = page.getByText("The object 1234 is missing. Run verify with repair.")
  await expect
    .poll(
      async () => {
        answer?.()
        return told.count()
      },
      { timeout: WAIT_MS },
    )
    .toBeGreaterThan(0)
  wrong.push(...(await inspect(page, `served-failed-${size.name}`)))
  await page.unroute("**/api/changes*")
  answer?.()
  await page.getByRole("button", { name: "Try again" }).first().click()
  await page.getByText("There is no difference.").waitFor()
  wrong.push(...(await inspect(page, `served-same-${size.name}`)))
  expect(wrong).toEqual([])
})

async function project(): Promise<{ readonly worktree: string; readonly store: SnapshotStore }> {
  const folder = await temporaryFolder()
  const worktree = join(folder, "project")
  await mkdir(join(worktree, "src"), { recursive: true })
  await writeFile(join(worktree, "src", "main.js"), "console.log(1)\n")
  await writeFile(join(worktree, "README.md"), "# project\n")
  await writeFile(join(worktree, "notes.log"), "a note\n")
  const store = await openStore({ worktree, gitdir: join(folder, "store.git"), retention: false })
  return { worktree, store }
}

async function pageOn(store: SnapshotStore, size: Size): ReturnType<typeof open> {
  const server = await serveStore({ store, pageFolder: PAGE_FOLDER })
  onTestFinished(() => server.close())
  return open(server.pageUrl, size)
}

async function textsIn(worktree: string): Promise<Record<string, string | undefined>> {
  const names = ["src/main.js", "README.md", "added.txt", ".gitignore"]
  const texts = names.map((name) => readFile(join(worktree, name), "utf8").catch(() => undefined))
  return Object.fromEntries((await Promise.all(texts)).map((text, at) => [names[at], text]))
}

async function backToTimeline(page: Page, { name }: Size): Promise<void> {
  if (name === "narrow") await page.getByRole("button", { name: "Timeline" }).click()
}

function now(page: Page): Locator {
  return page.locator("#now")
}

function files(page: Page): Locator {
  return page.getByRole("region", { name: "Files that differ" })
}

function option(page: Page, label: string): Locator {
  return page.getByRole("option", { name: label })
}
