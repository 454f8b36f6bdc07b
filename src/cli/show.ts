import { EMPTY_TREE } from "../core/oid.js"
import { isSnapshotError, SnapshotError } from "../core/errors.js"
import { exactText } from "../core/bytes.js"
import type { FileDiff, Snapshot, SnapshotStore } from "../snapshot-store.js"
import { changeSummary, changeTable, indent } from "./changes.js"
import type { Command, Session, Words } from "./command.js"
import { DONE } from "./failure.js"
import { table } from "./table.js"
import { age, count, grouped, localTime, printable, printablePath, shortId } from "./text.js"
import { wrongUse } from "./values.js"

/** Shows a snapshot, or a file in it. */
export const show: Command = {
  name: "show",
  operands: "<rev> [path]",
  summary: "Show a snapshot and what changed in it, or a file",
  about: `With a path, the file's exact bytes go to stdout (of a link: its text). The
path counts from where you are, or from the folder of -C; written <rev>:<path>
it counts from the top of the work tree.`,
  options: [],
  examples: [
    ["show latest", "What the newest snapshot is, and what changed since the one before."],
    ["show 3f2a9c1d77 src/main.ts", "Print a file as it was then."],
    ["show latest:logo.png > old-logo.png", "Save a file as it was then under another name."],
  ],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const [first = "", path] = words.operands
  const named = path ?? words.rest?.[0]
  const colon = first.indexOf(":")
  if (colon < 0 && named === undefined) return (session) => showSnapshot(first, session)
  if (colon >= 0 && named !== undefined)
    throw wrongUse("path", "Give the path once: as <rev> <path> or as <rev>:<path>.")
  const rev = colon < 0 ? first : first.slice(0, colon)
  const inside = named ?? first.slice(colon + 1)
  if (inside === "") throw wrongUse("path", "The path is empty.")
  return (session) => showFile(rev, named === undefined ? inside : session.toStorePath(named), session)
}

async function showSnapshot(rev: string, session: Session): Promise<number> {
  const { store, screen, signal } = session
  const snapshot = await store.resolve(rev)
  const changes = await changesIn(snapshot, store, signal)
  session.finishProgress()
  if (screen.json) {
    screen.printJson({ snapshot, changes: changes?.map(({ patch: _patch, ...change }) => change) })
    return DONE
  }
  screen.print(...facts(snapshot, session), "")
  if (snapshot.previous === undefined) {
    const files = await store.changes(EMPTY_TREE, snapshot.id)
    screen.print(`The first snapshot of this folder: ${count(files.length, "file")}.`)
  } else if (changes === undefined) screen.print("The snapshot before it is not there any more.")
  else screen.print(...changesSince(snapshot.previous, snapshot.id, changes, session))
  return DONE
}

/** What changed since the snapshot before; undefined when there is none, or none any more. */
async function changesIn(
  { previous, id }: Snapshot,
  store: SnapshotStore,
  signal: AbortSignal,
): Promise<FileDiff[] | undefined> {
  if (previous === undefined) return undefined
  try {
    await store.resolve(previous)
  } catch (error) {
    if (isSnapshotError(error, "NOT_FOUND")) return undefined
    throw error
  }
  return store.diff(previous, id, { signal })
}

function facts(snapshot: Snapshot, { screen, now }: Session): string[] {
  const pairs = Object.entries(snapshot.metadata)
  const rows = [
    ["snapshot", { text: snapshot.id, paint: (text: string) => screen.paint("yellow", text) }],
    ...(snapshot.label === undefined ? [] : [["label", printable(snapshot.label)]]),
    ["taken", `${localTime(snapshot.createdAt)} (${age(snapshot.createdAt, now)})`],
    ["kind", snapshot.kind === "capture" ? "capture" : "safety (taken before a restore)"],
    ["complete", snapshot.complete ? "yes" : "no: something was left out"],
    ...(snapshot.pinned ? [["pinned", "yes: retention never lets it go"]] : []),
    ["tree", snapshot.tree],
    ["ref", printable(snapshot.ref)],
    ...(snapshot.previous === undefined ? [] : [["previous", snapshot.previous]]),
    ...pairs.map(([key, value], i) => [i === 0 ? "metadata" : "", `${printable(key)}=${printable(value)}`]),
  ]
  return table([{}, {}], rows, Infinity)
}

function changesSince(previous: string, id: string, changes: readonly FileDiff[], session: Session): string[] {
  const before = shortId(previous)
  if (changes.length === 0)
    return [
      `No file's content changed since the snapshot before it, ${before}.`,
      "Permissions, empty folders or what was left out may have: a plan shows them.",
    ]
  const more = changes.length - MOST_SHOWN
  return [
    `Changed since the snapshot before it, ${before}:`,
    ...changeTable(changes, session.screen, MOST_SHOWN),
    ...(more > 0
      ? [indent(`… and ${grouped(more)} more: ${session.suggest("diff", before, shortId(id), "--stat")}`)]
      : []),
    changeSummary(changes),
  ]
}

async function showFile(rev: string, path: string, { store, screen }: Session): Promise<number> {
  const bytes = await store.readFile(rev, path)
  if (bytes === undefined)
    throw new SnapshotError("NOT_FOUND", `There is no ${printablePath(path)} in ${printable(rev)}.`, {
      rev: `${rev}:${path}`,
    })
  if (screen.json) screen.printJson({ path, sizeBytes: bytes.length, ...contentOf(bytes) })
  else screen.printBytes(bytes)
  return DONE
}

function contentOf(bytes: Uint8Array): { readonly encoding: "utf-8" | "base64"; readonly content: string } {
  const text = exactText(bytes)
  if (text !== undefined) return { encoding: "utf-8", content: text }
  return { encoding: "base64", content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64") }
}

const MOST_SHOWN = 40
