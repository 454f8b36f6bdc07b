#!/usr/bin/env node
/*
 * The treeshot command. Nothing outside this folder prints or sets an exit status.
 */
import { readFileSync } from "node:fs"
import type { RestoreReport } from "../snapshot-store.js"
import { asksForJson, parseArguments } from "./arguments.js"
import { capture } from "./capture.js"
import type { Command } from "./command.js"
import { diff } from "./diff.js"
import { DONE, FAILED, report } from "./failure.js"
import { forget } from "./forget.js"
import { gc } from "./gc.js"
import { list } from "./list.js"
import { openOptionsOf } from "./open-options.js"
import { pin } from "./pin.js"
import { findPlace } from "./place.js"
import { plan } from "./plan.js"
import { progressBar } from "./progress-bar.js"
import { prune } from "./prune.js"
import { confirmation } from "./question.js"
import { redo } from "./redo.js"
import { outcomeNumbers } from "./report-lines.js"
import { restore } from "./restore.js"
import { revert } from "./revert.js"
import { processScreen, type Screen } from "./screen.js"
import { show } from "./show.js"
import { status } from "./status.js"
import { stores } from "./stores.js"
import { suggestions } from "./suggestion.js"
import { printable, shortId } from "./text.js"
import { undo } from "./undo.js"
import { verify } from "./verify.js"

const COMMANDS: readonly Command[] = [
  capture,
  list,
  show,
  diff,
  plan,
  restore,
  revert,
  undo,
  redo,
  pin,
  forget,
  prune,
  gc,
  verify,
  status,
  stores,
]

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  const screen = processScreen(process, asksForJson(args))
  const interrupt = interruption()
  const debug = Boolean(process.env["TREESHOT_DEBUG"])
  guardStreams()
  process.on("uncaughtException", (error) => process.exit(report(error, screen, interrupt, debug)))
  let exitStatus: number
  try {
    exitStatus = await run(args, screen, interrupt)
  } catch (error) {
    exitStatus = report(error, screen, interrupt, debug)
  }
  if (exitStatus !== DONE) process.exitCode = exitStatus
}

async function run(args: readonly string[], screen: Screen, signal: AbortSignal): Promise<number> {
  const request = parseArguments(args, COMMANDS, version())
  if (request.kind !== "command") {
    request.show()
    return DONE
  }
  const { command, words } = request
  const options = openOptionsOf(words)
  const bar = progressBar(process.stderr, !screen.json)
  const surroundings = {
    screen,
    signal,
    confirm: screen.json ? undefined : confirmation(process, signal),
    now: new Date(),
    onProgress: bar.onProgress,
    finishProgress: bar.stop,
    suggest: suggestions(process, words),
  }
  if (command.apart === true) return command.prepare(words)(surroundings)
  const action = command.prepare(words)
  const place = await findPlace(words.value("C"), () => process.cwd())
  // Help and wrong use are told without the time that loading this takes.
  const { openStore } = await import("../open-store.js")
  const store = await openStore({ ...options, worktree: place.worktree })
  const tellRecovered = (report: RestoreReport): void => {
    if (!screen.json) screen.note(...recoveredLines(report))
  }
  store.on("recovered", tellRecovered)
  if (store.recovered !== undefined) tellRecovered(store.recovered)
  try {
    return await action({ ...surroundings, store, toStorePath: place.toStorePath })
  } finally {
    bar.stop()
    await store.close()
  }
}

/** What became of a restore whose process ended in the middle. */
function recoveredLines({ outcomes, complete, undo: safety }: RestoreReport): string[] {
  return [
    `treeshot: A restore that was interrupted was ${complete ? "finished" : "taken back"}: ${outcomeNumbers(outcomes)}`,
    ...(safety === undefined ? [] : [`What the folder was before it is snapshot ${shortId(safety.id)}.`]),
  ]
}

/** Aborted by the first Ctrl-C; the second one ends the process as it would any other. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort())
  return controller.signal
}

/** A reader that had enough, such as head, is no failure; output that cannot be written is one. */
function guardStreams(): void {
  process.stderr.on("error", () => {})
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED") return
    process.exitCode = FAILED
    process.stderr.write(`treeshot: The output could not be written: ${printable(error.message)}\n`)
  })
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  return (manifest as { readonly version: string }).version
}

await main()
