/*
 * A process that captures, restores, undoes, prunes and maintains in a loop, and tells before and after each step what the
 * work tree is and will be, until it has done so many steps or is killed.
 */
import { writeFileSync, writeSync } from "node:fs"
import { pathToFileURL } from "node:url"
import type { openStore as OpenStore } from "../../src/index.js"
import { seeded } from "../support/interleave.js"
import { digestOf, writeState } from "./worktree-state.js"

/** What the process is to do. */
export interface WorkerOrder {
  readonly entry: string
  readonly worktree: string
  readonly gitdir: string
  readonly workspace: string
  readonly durability: "power" | "process"
  readonly seed: number
  /** Names of steps, of which each time one is chosen. */
  readonly steps: readonly string[]
  /** How many; undefined: until it is killed. */
  readonly count?: number
  /** A file of its own in a work tree that others work on, too. Without one the work tree is its own. */
  readonly ownFile?: string
}

/** What is used of the package. */
interface Entry {
  readonly openStore: typeof OpenStore
}

const order = JSON.parse(process.argv[2] ?? "") as WorkerOrder
const { openStore } = (await import(pathToFileURL(order.entry).href)) as Entry
const random = seeded(order.seed)
const { worktree, gitdir, workspace, durability, ownFile } = order
const tell = (what: string, more: object = {}): void => void writeSync(1, `${JSON.stringify({ what, ...more })}\n`)
const MINUTE_MS = 60_000
/** Snapshots with the work trees that they hold. */
const known: { readonly id: string; readonly digest: string }[] = []

tell("open")
const store = await openStore({ worktree, gitdir, workspace, durability, retention: false })
tell("opened")
for (let step = 0; step < (order.count ?? Number.POSITIVE_INFINITY); step++) {
  const name = order.steps[random(order.steps.length)] ?? ""
  if (name === "capture") await capture()
  else if (name === "restore") await restore()
  else if (name === "prune") await quietly("prune", () => store.prune({ keepLast: 4, keepWithinMs: MINUTE_MS }))
  else await quietly("maintain", () => store.maintain())
}
await store.close()

async function capture(): Promise<void> {
  const text = `${process.pid} ${random(1_000_000_000)}\n`
  if (ownFile === undefined) {
    tell("edit")
    writeState(worktree, random)
  } else writeFileSync(`${worktree}/${ownFile}`, text)
  const digest = ownFile === undefined ? digestOf(worktree) : ""
  tell("capture", { before: digest, after: digest })
  const { snapshot } = await store.capture({ label: text })
  if (ownFile !== undefined) {
    const bytes = await store.readFile(snapshot.id, ownFile)
    if (Buffer.from(bytes ?? []).toString() !== text)
      tell("wrong", { problem: `${snapshot.id} holds another ${ownFile}` })
  }
  known.push({ id: snapshot.id, digest })
  tell("captured", { id: snapshot.id, digest })
}

/** Restores a snapshot; then takes it back, and does it again, or not. */
async function restore(): Promise<void> {
  const listed = new Set((await store.list()).map(({ id }) => id))
  const there = known.filter(({ id }) => listed.has(id))
  const target = there[random(there.length)]
  if (target === undefined) return
  const before = digestOf(worktree)
  tell("restore", { before, after: target.digest })
  const { undo, complete } = await store.restore(target.id)
  expectState("restored", target.digest, complete)
  if (undo === undefined || random(2) === 0) return
  tell("undo", { before: target.digest, after: before })
  const undone = await store.undo()
  expectState("undone", before, undone.complete)
  if (random(2) === 0) return
  tell("redo", { before, after: target.digest })
  const redone = await store.redo()
  expectState("redone", target.digest, redone.complete)
}

function expectState(what: string, digest: string, complete: boolean): void {
  if (!complete) tell("wrong", { problem: `${what}, but not complete` })
  else if (digestOf(worktree) !== digest) tell("wrong", { problem: `${what}, but the work tree is another one` })
  tell(what, { digest })
}

/** Another process may be at it. */
async function quietly(what: string, call: () => Promise<unknown>): Promise<void> {
  const digest = ownFile === undefined ? digestOf(worktree) : ""
  tell(what, { before: digest, after: digest })
  try {
    await call()
  } catch (error) {
    if ((error as { code?: string }).code !== "LOCK_HELD") throw error
  }
  tell(`${what} done`, { digest })
}
