import { fileURLToPath } from "node:url"
import type { Page } from "playwright"
import { preview, type PreviewServer } from "vite"
import { afterAll, beforeAll, expect, test } from "vitest"
import { browserForTests, inspect, SIZES, WAIT_MS, type Size } from "../support/page-in-chromium.js"

const DIST = fileURLToPath(new URL("../../dist", import.meta.url))
const open = browserForTests()
let server: PreviewServer

beforeAll(async () => {
  // From a folder of a file host, as it may be put anywhere.
  server = await preview({
    configFile: false,
    root: DIST,
    build: { outDir: "." },
    logLevel: "silent",
    preview: { host: "127.0.0.1", port: 0 },
  })
})
afterAll(() => server.close())

test.for(SIZES)("the demo shows an edit as it is typed, $name", async (size) => {
  const { page, complaints } = await openDemo(size)
  const wrong = await inspect(page, `demo-start-${size.name}`)

  await inSide(page, size, async () => {
    await page.getByRole("button", { name: "README.md" }).click()
    await page.getByRole("textbox", { name: "README.md" }).fill("# todo\n\nWith a line of my own.\n")
  })
  await now(page).getByText("1 file changed since the newest snapshot").waitFor()
  await now(page).click()
  await files(page).getByText("With a line of my own.").waitFor()

  await page.getByRole("button", { name: "Capture", exact: true }).click()
  await page.getByRole("textbox", { name: "Label" }).fill("my own line")
  wrong.push(...(await inspect(page, `demo-capture-${size.name}`)))
  await page.keyboard.press("Enter")
  await page.getByRole("heading", { name: "my own line" }).waitFor()
  await now(page).getByText("As in the newest snapshot").waitFor({ state: "attached" })
  expect(wrong).toEqual([])
  expect(complaints).toEqual([])
})

test.for(SIZES)(
  "each step of the demo's agent is a snapshot, and can be taken back and done again, $name",
  async (size) => {
    const { page, complaints } = await openDemo(size)
    const wrong: string[] = []
    await inSide(page, size, async () => {
      for (const step of [
        "Add due dates to todos",
        "Show the most urgent first",
        "Tidy up",
        "Test that urgent todos come first",
      ]) {
        await page.getByRole("button", { name: "Let the agent do this step" }).click()
        await page.getByRole("button", { name: `Take back “${step}”` }).waitFor()
      }
      wrong.push(...(await inspect(page, `demo-agent-${size.name}`)))
      await page.getByRole("button", { name: "Take back “Tidy up”" }).click()
    })

    const dialog = page.getByRole("dialog", { name: "Take back “Tidy up”" })
    await dialog.getByText("2 to create").waitFor()
    await dialog.getByText("2 to change").waitFor()
    wrong.push(...(await inspect(page, `demo-plan-${size.name}`)))
    await dialog.getByRole("checkbox", { name: "README.md" }).uncheck()
    await dialog.getByRole("button", { name: "Restore 3 of 4 files" }).click()
    await dialog.getByText("3 files written.").waitFor()
    wrong.push(...(await inspect(page, `demo-report-${size.name}`)))
    expect(await filesOf(page)).toEqual(
      expect.arrayContaining(["data/todos.json", "test/todo.test.js", "test/sort.test.js"]),
    )

    await dialog.getByRole("button", { name: "Undo" }).click()
    await page.getByText(/1 file written, 2 deleted/).waitFor()
    expect(await filesOf(page)).not.toContain("data/todos.json")
    await page.getByRole("status").getByRole("button", { name: "Redo" }).click()
    await page.getByText("3 files written.").waitFor()
    expect(await filesOf(page)).toContain("data/todos.json")
    expect(wrong).toEqual([])
    expect(complaints).toEqual([])
  },
)

test.for(SIZES)("snapshots of the demo are compared, pinned, searched and let go, $name", async (size) => {
  const { page, complaints } = await openDemo(size)
  const wrong: string[] = []
  await inSide(page, size, async () => {
    for (const step of ["Add due dates to todos", "Show the most urgent first"]) {
      await page.getByRole("button", { name: "Let the agent do this step" }).click()
      await page.getByRole("button", { name: `Take back “${step}”` }).waitFor()
    }
  })
  await option(page, "Show the most urgent first").click()
  await files(page).getByText("src/sort.js").waitFor()
  await page.locator(".d2h-diff-table").first().waitFor()
  wrong.push(...(await inspect(page, `demo-snapshot-${size.name}`)))

  await page.keyboard.press("s")
  wrong.push(...(await inspect(page, `demo-split-${size.name}`)))
  await page.keyboard.press("s")

  await page.keyboard.press("/")
  await page.keyboard.type("sort")
  await page.getByText("1 of 3 files").waitFor()
  await page.keyboard.type("xyz")
  await page.getByText("No file's path has this in it.").waitFor()
  wrong.push(...(await inspect(page, `demo-search-${size.name}`)))
  await page.keyboard.press("Escape")
  await page.getByText("1 of 3 files").waitFor({ state: "detached" })

  await page.keyboard.press("f")
  await expect.poll(() => page.locator("details.file[open]").count(), { timeout: WAIT_MS }).toBe(0)
  wrong.push(...(await inspect(page, `demo-folded-${size.name}`)))
  await page.keyboard.press("f")
  await expect.poll(() => page.locator("details.file[open]").count(), { timeout: WAIT_MS }).toBeGreaterThan(0)

  await page.keyboard.press("p")
  await page.getByRole("button", { name: "Unpin" }).waitFor()
  await page.keyboard.press("c")
  await page.getByText("Choose the snapshot to compare with.").waitFor()
  await option(page, "The project as it came").click()
  await page.getByRole("heading", { name: "Two snapshots" }).waitFor()
  await files(page).getByText("src/todo.js").waitFor()
  wrong.push(...(await inspect(page, `demo-two-${size.name}`)))

  await page.keyboard.press("?")
  await page.getByRole("dialog", { name: "Keys" }).waitFor()
  wrong.push(...(await inspect(page, `demo-keys-${size.name}`)))
  await page.keyboard.press("Escape")
  await page.keyboard.press("Escape")

  await page.getByRole("button", { name: "3 snapshots" }).click()
  await page.getByRole("button", { name: "Check every snapshot" }).click()
  await page.getByText(/All is whole: 3 snapshots/).waitFor()
  wrong.push(...(await inspect(page, `demo-store-${size.name}`)))
  await page.keyboard.press("Escape")

  await option(page, "Add due dates to todos").click()
  await page.getByRole("button", { name: "Forget …" }).click()
  wrong.push(...(await inspect(page, `demo-forget-${size.name}`)))
  await page.getByRole("button", { name: "Keep it" }).click()
  await page.getByRole("button", { name: "Forget …" }).click()
  await page.getByRole("button", { name: "Forget it" }).click()
  await page.getByText("The snapshot is gone.").waitFor()
  await expect.poll(() => option(page, "Add due dates to todos").count(), { timeout: WAIT_MS }).toBe(0)
  expect(wrong).toEqual([])
  expect(complaints).toEqual([])
})

test("the demo's timeline is gone through by keyboard", async () => {
  const { page } = await openDemo(SIZES[0])
  for (const step of ["Add due dates to todos", "Show the most urgent first", "Tidy up"]) {
    await page.getByRole("button", { name: "Let the agent do this step" }).click()
    await page.getByRole("button", { name: `Take back “${step}”` }).waitFor()
  }
  const list = page.getByRole("listbox", { name: "Snapshots, newest first" })
  await list.focus()
  for (const [key, heading] of [
    ["Home", "The folder now"],
    ["ArrowDown", "Tidy up"],
    ["ArrowDown", "Show the most urgent first"],
    ["ArrowUp", "Tidy up"],
    ["End", "The project as it came"],
  ] as const) {
    await page.keyboard.press(key)
    await page.getByRole("heading", { name: heading }).waitFor()
    const active = await list.getAttribute("aria-activedescendant")
    expect(await page.locator(`#${active}`).getAttribute("aria-selected")).toBe("true")
  }
  await page.getByText("The first snapshot").waitFor()
  await page.keyboard.press("ArrowUp")
  await page.keyboard.press("Enter")
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label")), { timeout: WAIT_MS })
    .toBe("Files that differ")
  await page.keyboard.press("Escape")
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.getAttribute("role")), { timeout: WAIT_MS })
    .toBe("listbox")
})

async function openDemo(size: Size): ReturnType<typeof open> {
  const opened = await open(`${server.resolvedUrls?.local[0]}demo/`, size)
  await now(opened.page).getByText("As in the newest snapshot").waitFor()
  return opened
}

/* Where the page is narrow, the project is folded away unless it is needed. */
async function inSide(page: Page, { name }: Size, act: () => Promise<void>): Promise<void> {
  const turn = async (): Promise<void> => {
    if (name === "narrow") await page.getByText("The demo’s project and its agent").click()
  }
  await turn()
  await act()
  if ((await page.getByRole("dialog").count()) === 0) await turn()
}

async function filesOf(page: Page): Promise<string[]> {
  return page.locator(".editor-files button").allTextContents()
}

function now(page: Page): ReturnType<Page["locator"]> {
  return page.locator("#now")
}

function files(page: Page): ReturnType<Page["locator"]> {
  return page.getByRole("region", { name: "Files that differ" })
}

function option(page: Page, label: string): ReturnType<Page["locator"]> {
  return page.getByRole("option", { name: label })
}
