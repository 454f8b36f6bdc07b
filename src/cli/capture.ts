import prettyBytes from "pretty-bytes"
import type { CaptureResult, Skipped, SnapshotStore } from "../snapshot-store.js"
import type { Command, Session, Words } from "./command.js"
import { Aftermath, DONE } from "./failure.js"
import { hintLines } from "./hints.js"
import { table } from "./table.js"
import { age, count, cut, duration, grouped, localTime, printable, printablePath, shortId } from "./text.js"
import { tidyIfDue } from "./tidy.js"
import { metadata } from "./values.js"

/** Makes a snapshot. */
export const capture: Command = {
  name: "capture",
  operands: "",
  summary: "Take a snapshot of the folder as it is now",
  about: `Everything that Git would see is in it: what is tracked, and what is new and
not ignored. Where nothing changed since the newest snapshot, that one is named
again, unless a label or metadata asks for a new one.

What had to be left out is listed on stderr; the snapshot is taken all the same.`,
  options: [
    { usage: "--label <text>", text: "A line that says what this snapshot is" },
    { usage: "--meta <key=value>", text: "A pair for programs", repeatable: true },
  ],
  examples: [
    ["capture", "Take a snapshot."],
    ['capture --label "before the refactoring"', "Take one that is easy to find again."],
    ["capture -C ../other --json", "Take one of another folder, for a program."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const label = words.value("label")
  const pairs = metadata(words)
  return async (session) => {
    const { store, screen, signal, onProgress } = session
    const options = { signal, onProgress, ...(label !== undefined && { label }), ...(pairs && { metadata: pairs }) }
    const result = await run(store, options)
    session.finishProgress()
    if (screen.json) screen.printJson(result)
    else show(result, session)
    if (result.changed) await tidyIfDue(store)
    return DONE
  }
}

async function run(
  store: SnapshotStore,
  options: Parameters<SnapshotStore["capture"]>[0] & { readonly signal: AbortSignal },
): Promise<CaptureResult> {
  try {
    return await store.capture(options)
  } catch (error) {
    throw options.signal.aborted ? new Aftermath(error, "No snapshot was made.") : error
  }
}

function show({ snapshot, changed, skipped, stats }: CaptureResult, session: Session): void {
  const { screen, now } = session
  const id = shortId(snapshot.id)
  const label =
    snapshot.label === undefined || snapshot.label === ""
      ? ""
      : `  ${cut(printable(snapshot.label), screen.columns - 22, "end")}`
  const name = `${screen.paint("bold", id)}${label}`
  const written = `${prettyBytes(stats.bytesWritten)} in ${count(stats.objectsWritten, "object")}`
  const files = `${grouped(stats.filesScanned)} (${grouped(stats.filesRead)} read, ${prettyBytes(stats.bytesRead)})`
  if (changed) screen.print(`Snapshot ${name}`, `  taken    ${localTime(snapshot.createdAt)}`)
  else screen.print("Nothing changed. The newest snapshot is still", `  ${name}, taken ${age(snapshot.createdAt, now)}`)
  screen.print(`  files    ${files}`)
  if (changed) screen.print(`  written  ${written}`)
  screen.print(`  took     ${duration(stats.durationMs)}`)
  noteSkipped(skipped, session)
  screen.print(
    "",
    "Try next:",
    ...hintLines(
      [
        [session.suggest("diff", id), "what changes from here on"],
        [session.suggest("restore", id), "bring this state back"],
        [session.suggest("list"), "all snapshots"],
      ],
      screen.columns,
    ),
  )
}

/** Names that restores keep for themselves. */
const LEFT_BY_RESTORE = /(?:^|\/)\.treeshot-[0-9a-f]{32}$/

function noteSkipped(skipped: readonly Skipped[], { screen }: Session): void {
  if (skipped.length === 0) return
  const rows = skipped.slice(0, MOST_SHOWN).map(({ path, reason }) => [
    // Unsafe names come with escapes already.
    reason === "unsafe-name" ? printable(path) : printablePath(path),
    LEFT_BY_RESTORE.test(path) ? "left by a restore; remove it when none is running" : REASONS[reason],
  ])
  const more = skipped.length - rows.length
  screen.note(
    "",
    `Not in the snapshot: ${count(skipped.length, "path")}`,
    ...table([{ cut: "start" }, {}], rows, screen.columns - 2).map((line) => `  ${line}`),
    ...(more > 0 ? [`  … and ${grouped(more)} more; --json lists them all.`] : []),
    ...(skipped.some(({ reason }) => reason === "too-large")
      ? ["A larger --new-file-limit takes larger new files."]
      : []),
  )
}

const MOST_SHOWN = 20
const REASONS: Readonly<Record<Skipped["reason"], string>> = {
  "too-large": "new and too large",
  unreadable: "cannot be read",
  "changed-while-reading": "changed while it was read",
  "special-file": "a fifo, socket or device",
  "unsafe-name": "a name that Git cannot hold",
}
