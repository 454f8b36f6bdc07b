/*
 * Locks of real processes: those of live ones are never taken over, those of dead ones at once, in whatever way they died.
 * And locks of other tools at random places, which stop nothing.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { isSnapshotError } from "../../src/core/errors.js"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { startChild } from "./child-process.js"
import type { Part, PartContext } from "./part.js"
import { problemsOf, type StorePlace } from "./store-check.js"
import { digestOf, writeState } from "./worktree-state.js"

export const locks: Part = {
  name: "locks",
  title: "locks of live and of dead processes, and of other tools",
  share: 1,
  async run(context) {
    const { random, folder, isOver, ran, lose } = context
    const place = { worktree: join(folder, "work"), gitdir: join(folder, "store.git"), workspace: "locks" }
    mkdirSync(place.worktree)
    while (!isOver()) {
      const done = await (random(2) === 0 ? realHolder(place, context) : leftBehind(place, context))
      for (const problem of await problemsOf(place.gitdir)) lose(problem)
      ran(done)
    }
  },
}

type Counts = Readonly<Record<string, number>>

function open(place: StorePlace): Promise<SnapshotStore> {
  return openStore({ ...place, retention: false })
}

/** A process that holds a lock: nobody gets it while it lives, and the next one at once when it is killed. */
async function realHolder(place: StorePlace, { random, lose }: PartContext): Promise<Counts> {
  const call = random(2) === 0 ? "maintain" : "restore"
  const store = await open(place)
  writeState(place.worktree, random)
  const { snapshot } = await store.capture()
  const before = digestOf(place.worktree)
  writeFileSync(join(place.worktree, "unsaved.txt"), `${random(1_000_000)}`)
  const holder = startChild("holder", { ...place, call, target: snapshot.id })
  await holder.waitFor("held")
  if (call === "maintain") {
    const refused: unknown = await store.maintain().catch((error: unknown) => error)
    if (!isSnapshotError(refused, "LOCK_HELD")) lose("the lock of a live process was taken")
  } else {
    const aborting = new AbortController()
    const restoring = store.restore(snapshot.id, { signal: aborting.signal }).then(
      () => "restored",
      () => "refused",
    )
    setTimeout(() => aborting.abort(), 200)
    if ((await restoring) !== "refused") lose("the lock of a live process was taken")
  }
  holder.process.kill("SIGKILL")
  await holder.ended
  if (call === "maintain") await store.maintain()
  else if (!(await store.restore(snapshot.id)).complete) lose("the restore after the killed one is not complete")
  if (call === "restore" && digestOf(place.worktree) !== before) lose("the work tree is not what the snapshot holds")
  await store.close()
  return { "locks of live processes respected": 1, "locks of killed processes taken over": 1 }
}

/** Locks as dead processes leave them, and those of other tools. */
async function leftBehind(place: StorePlace, { random, lose }: PartContext): Promise<Counts> {
  const prepared = await open(place)
  await prepared.capture({ label: "before" })
  const own = await (await nodePlatform()).owner.current()
  const dead = [
    { ...own, pid: deadPid() },
    { ...own, startTime: "1" },
    { ...own, bootId: "another boot" },
  ]
  for (const name of ["maintenance", `restore-${place.workspace}`]) {
    const token = Array.from({ length: 32 }, () => random(16).toString(16)).join("")
    const holder = { token, createdMs: Date.now(), owner: dead[random(dead.length)] }
    writeFileSync(join(place.gitdir, "locks", name), `${JSON.stringify(holder)}\n`)
  }
  const stray = strayLocks(place.gitdir, random)
  writeState(place.worktree, random)
  const digest = digestOf(place.worktree)
  const { snapshot } = await prepared.capture({ label: "now" })
  await prepared.close()
  const store = await open(place)
  writeFileSync(join(place.worktree, "always.txt"), "later")
  const later = digestOf(place.worktree)
  if ((await store.list()).length === 0) lose("nothing is listed")
  await store.restore(snapshot.id)
  if (digestOf(place.worktree) !== digest) lose("the restore did something else")
  await store.undo()
  if (digestOf(place.worktree) !== later) lose("the undo did something else")
  if ((await store.prune({ keepLast: 3 })).removed.length === 0 && (await store.list()).length > 5) lose("nothing went")
  await store.maintain()
  await store.close()
  const left = readdirSync(join(place.gitdir, "locks")).filter((name) => !name.endsWith(".lock"))
  if (left.length > 0) lose(`locks/ still holds ${left.join(", ")}`)
  return { "locks of killed processes taken over": 2, "locks of other tools": stray }
}

/** Puts some at random places: files, folders and links, all of them old. */
function strayLocks(gitdir: string, random: (limit: number) => number): number {
  const folders = foldersBelow(gitdir)
  const names = ["index.lock", "packed-refs.lock", "HEAD.lock", "config.lock", "any.lock"]
  let count = 0
  for (let at = 0; at < 5; at++) {
    const path = join(folders[random(folders.length)] ?? gitdir, names[random(names.length)] ?? "any.lock")
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue
    count++
    const kind = random(3)
    if (kind === 0) mkdirSync(path)
    else if (kind === 1) symlinkSync("nowhere", path)
    else writeFileSync(path, random(2) === 0 ? "" : "some other tool\n")
    if (kind !== 1) utimesSync(path, 0, 0)
  }
  return count
}

function foldersBelow(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((item) => item.isDirectory())
  return [folder, ...below.flatMap(({ name }) => (name.endsWith(".lock") ? [] : foldersBelow(join(folder, name))))]
}

/** A process id that no process has. */
function deadPid(): number {
  const most = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"))
  for (let pid = most - 1; pid > 1; pid--)
    if (statSync(`/proc/${pid}`, { throwIfNoEntry: false }) === undefined) return pid
  return most
}
