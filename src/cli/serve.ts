import type { SidecarChild } from "../sidecar/sidecar-child.js"
import type { Command, Surroundings, Words } from "./command.js"
import { DONE } from "./failure.js"
import { openOptionsOf } from "./open-options.js"
import { PAGE_FOLDER, PORT, portOf } from "./page-place.js"
import { findPlace } from "./place.js"
import { noteRecovered } from "./recovered.js"
import { printable } from "./text.js"
import { wrongUse } from "./values.js"

/** Serves the store by HTTP, and the page that shows it. */
export const serve: Command = {
  apart: true,
  name: "serve",
  operands: "",
  summary: "Serve the store and its page on this machine",
  about: `It listens on 127.0.0.1 only, and answers only who has the token: the page's
address has one in it. --json prints one line when it is ready,
{"url","token","pid"}; every request to /api needs the header
Authorization: Bearer <token>. /api/openapi.json describes them.

Ctrl-C or SIGTERM ends it: a restore that runs comes to its end first.`,
  options: [PORT, { usage: "--page-origin <origin>", text: "A page elsewhere on this machine that may ask, too" }],
  examples: [
    ["serve", "Print the page's address, and serve it until Ctrl-C."],
    ["serve --json", "For a program: one line says where, and with which token."],
  ],
  prepare,
}

function prepare(words: Words): (surroundings: Surroundings) => Promise<number> {
  const port = portOf(words)
  const pageOrigin = words.value("page-origin")
  if (pageOrigin !== undefined && !/^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(pageOrigin))
    throw wrongUse("page-origin", "--page-origin takes an origin such as http://127.0.0.1:4321.")
  return async (surroundings) => {
    const { sidecarChild } = await import("../sidecar/sidecar-child.js")
    const child = sidecarChild({ stopLimitMs: STOP_LIMIT_MS })
    // What a supervisor has to say holds nobody's end up, if the start fails.
    process.channel?.unref()
    return run(words, { port, ...(pageOrigin !== undefined && { pageOrigin }) }, child, surroundings)
  }
}

async function run(
  words: Words,
  where: { readonly port: number; readonly pageOrigin?: string },
  child: SidecarChild | undefined,
  { screen, signal }: Surroundings,
): Promise<number> {
  const stop = new AbortController()
  let over = (): void => {}
  const isOver = new Promise<void>((resolve) => (over = resolve))
  child?.onStop(async () => {
    stop.abort()
    await isOver
  })
  // To open a store may take long: a restore that was interrupted is finished first.
  const news = setInterval(() => child?.starting(), STARTING_EVERY_MS)
  try {
    const place = await findPlace(words.value("C"), () => process.cwd())
    const [{ openStore }, { serveStore }] = await Promise.all([
      import("../open-store.js"),
      import("../server/store-server.js"),
    ])
    const store = await openStore({ ...openOptionsOf(words), worktree: place.worktree })
    noteRecovered(store, screen)
    const token = child === undefined ? {} : { token: child.token }
    const server = await serveStore({ store, pageFolder: PAGE_FOLDER, ...where, ...token }).catch(async (error) => {
      await store.close()
      throw error
    })
    clearInterval(news)
    child?.ready(server.url)
    if (screen.json) screen.print(JSON.stringify({ url: server.url, token: server.token, pid: process.pid }))
    else screen.print(`Serving ${printable(store.worktree)}`, `  ${server.pageUrl}`, "Ctrl-C ends it.")
    await aborted(AbortSignal.any([signal, stop.signal]))
    await server.close()
    return DONE
  } finally {
    clearInterval(news)
    over()
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
}

/** More than a large restore takes. A supervisor that does not wait so long ends it, and the next opening finishes the restore. */
const STOP_LIMIT_MS = 60_000
/** A supervisor gives up a start of which it has heard nothing for 30 s. */
const STARTING_EVERY_MS = 10_000
