import type { ApiAddress } from "../server/page-host.js"
import type { SidecarSupervisor } from "../sidecar/supervisor.js"
import type { Command, Surroundings, Words } from "./command.js"
import { exitLine } from "./exit-lines.js"
import { DONE, FAILED } from "./failure.js"
import { openOptionsOf, openWords } from "./open-options.js"
import { PAGE_FOLDER, PORT, portOf } from "./page-place.js"
import { findPlace } from "./place.js"
import { noteRecovered } from "./recovered.js"
import type { Screen } from "./screen.js"
import { localTime, printable } from "./text.js"

/** Shows the page, and keeps the server behind it alive: what a desktop app does. */
export const desktop: Command = {
  apart: true,
  name: "desktop",
  operands: "",
  summary: "Open the page, and keep its server running",
  about: `The page's address stays the same while its server comes and goes: treeshot
serve runs beside it and is started again when it ends unasked, up to 3 times
in 5 minutes. How each one ended, and what comes of it, is printed.

Ctrl-C ends all of it: a restore that runs gets its time.`,
  options: [PORT, { usage: "--no-open", text: "Only print the page's address" }],
  examples: [
    ["desktop", "Look at the snapshots of this folder in the browser."],
    ["desktop --no-open --port 4321", "The same at a fixed address, which you open yourself."],
  ],
  prepare,
}

function prepare(words: Words): (surroundings: Surroundings) => Promise<number> {
  const port = portOf(words)
  return async (surroundings) => {
    const { screen, signal } = surroundings
    const worktree = await checkedWorktree(words, screen)
    const [{ servePage }, { SidecarSupervisor }] = await Promise.all([
      import("../server/page-server.js"),
      import("../sidecar/supervisor.js"),
    ])
    let address: ApiAddress | undefined
    const page = await servePage(port, { folder: PAGE_FOLDER, address: () => address })
    const args = ["serve", "--page-origin", page.origin, "-C", worktree, ...openWords(words)]
    const supervisor = new SidecarSupervisor({ module: process.argv[1] ?? "", args })
    supervisor.on("current", (current) => {
      address = current && { url: current.url, token: current.token }
    })
    tell(supervisor, screen)
    if (screen.json) screen.print(JSON.stringify({ url: page.pageUrl, pid: process.pid }))
    else screen.print(`The page is at ${page.pageUrl}`, "Ctrl-C ends it.")
    try {
      const isGivenUp = ended(supervisor, signal)
      const first = supervisor.start()
      if (!words.has("no-open")) void first.then(() => openPage(page.pageUrl, screen)).catch(() => {})
      return (await isGivenUp) ? FAILED : DONE
    } finally {
      await supervisor[Symbol.asyncDispose]()
      await page.close()
    }
  }
}

/** The folder to show. What cannot be opened is told here, and not by one server after the other. */
async function checkedWorktree(words: Words, screen: Screen): Promise<string> {
  const place = await findPlace(words.value("C"), () => process.cwd())
  const { openStore } = await import("../open-store.js")
  const store = await openStore({ ...openOptionsOf(words), worktree: place.worktree })
  noteRecovered(store, screen)
  await store.close()
  return place.worktree
}

function tell(supervisor: SidecarSupervisor, screen: Screen): void {
  const now = (): string => localTime(new Date())
  supervisor.on("current", (current) => {
    if (current === undefined || screen.json) return
    screen.print(`${now()}  server ${current.generation} (pid ${current.pid}) is ready at ${current.url}`)
  })
  supervisor.on("stderr", ({ generation, line }) => screen.note(`server ${generation}: ${printable(line)}`))
  supervisor.on("exit", (record) => {
    if (screen.json) screen.print(JSON.stringify({ exit: record }))
    else screen.print(exitLine(record))
  })
}

/** Waits until it is to end: true when the server was given up, false when the user said so. */
function ended(supervisor: SidecarSupervisor, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false)
    signal.addEventListener("abort", () => resolve(false), { once: true })
    supervisor.on("state", ({ state }) => {
      if (state === "failed") resolve(true)
    })
  })
}

async function openPage(url: string, screen: Screen): Promise<void> {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  if (process.platform === "linux" && !DISPLAY && !WAYLAND_DISPLAY) return
  try {
    const { default: open } = await import("open")
    const browser = await open(url)
    browser.on("error", () => screen.note("No browser could be started. Open the page's address yourself."))
  } catch {
    screen.note("No browser could be started. Open the page's address yourself.")
  }
}
