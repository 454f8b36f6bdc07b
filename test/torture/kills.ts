/*
 * Real processes that are killed at a random moment while they capture, restore, undo, redo, prune and maintain. The next
 * one to open the store finds every snapshot whole, and the work tree as it was before a restore or as it was to be.
 */
import { mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.js"
import { startChild, type Child, type Told } from "./child-process.js"
import type { Part } from "./part.js"
import { problemsOf, thoroughProblemsOf, type StorePlace } from "./store-check.js"
import { digestOf } from "./worktree-state.js"

export const kills: Part = {
  name: "kills",
  title: "processes killed while they capture, restore, undo, prune and maintain",
  share: 5,
  async run({ random, folder, isOver, ran, lose }) {
    const places = [0, 1].map((number) => placeIn(folder, number))
    for (const { worktree } of places) mkdirSync(worktree)
    for (let round = 1; !isOver(); round++) {
      const children = places.map((place) => startWorker(place, random))
      children.push(startWorker(placeIn(folder, 0), random, ["prune", "maintain"]))
      await Promise.all(children.map((child) => kill(child, random, lose)))
      const done = { kills: 0, "restores ended by the next process": 0 }
      for (const [number, place] of places.entries()) {
        const told = children[number]?.told ?? []
        if (await checkWorktree(place, told, lose)) done["restores ended by the next process"]++
        await checkListed(place, told, lose)
      }
      done.kills = children.length
      const [place] = places
      if (place === undefined) return
      const isThorough = round % 10 === 0
      for (const problem of isThorough ? await thoroughProblemsOf(place) : await problemsOf(place.gitdir)) lose(problem)
      if (isThorough) await checkLeft(place, lose)
      ran(done)
    }
  },
}

function placeIn(folder: string, number: number): StorePlace {
  return { worktree: join(folder, `work${number}`), gitdir: join(folder, "store.git"), workspace: `project-${number}` }
}

const STEPS = ["capture", "capture", "restore", "restore", "restore", "prune", "maintain"]

function startWorker(place: StorePlace, random: (limit: number) => number, steps: readonly string[] = STEPS): Child {
  const durability = random(2) === 0 ? "power" : "process"
  return startChild("worker", { ...place, durability, steps, seed: random(1_000_000_000) })
}

async function kill(child: Child, random: (limit: number) => number, lose: (what: string) => void): Promise<void> {
  await child.waitFor("opened").catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, random(1500)))
  child.process.kill("SIGKILL")
  const { signal, complaints } = await child.ended
  if (signal !== "SIGKILL") lose(`a process ended by itself: ${complaints}`)
  for (const { what, problem } of child.told) if (what === "wrong") lose(String(problem))
}

/** Whether opening the store had a restore to finish or to take back. The work tree is one of the two that were told last. */
async function checkWorktree(place: StorePlace, told: readonly Told[], lose: (what: string) => void): Promise<boolean> {
  const store = await openStore({ ...place, retention: false })
  const isRecovered = store.recovered !== undefined
  await store.close()
  const last = told.at(-1)
  // While the process itself edits, nobody has promised anything.
  if (last === undefined || last.what === "edit" || last.what.startsWith("open")) return isRecovered
  const expected = [last["before"], last["after"], last["digest"]].filter((digest) => digest !== undefined)
  const found = digestOf(place.worktree)
  if (!expected.includes(found)) lose(`killed after "${last.what}", and ${place.worktree} is neither before nor after`)
  return isRecovered
}

/** What was captured by a process that was killed a moment ago is listed: it is too young for its prunes. */
async function checkListed(place: StorePlace, told: readonly Told[], lose: (what: string) => void): Promise<void> {
  const store = await openStore({ ...place, retention: false })
  const listed = new Set((await store.list()).map(({ id }) => id))
  await store.close()
  for (const { what, id } of told)
    if (what === "captured" && !listed.has(String(id))) lose(`${String(id)} is not listed`)
}

/** Once the dead are known to be dead, nothing of them is left. */
async function checkLeft(place: StorePlace, lose: (what: string) => void): Promise<void> {
  const store = await openStore({ ...place, retention: false })
  await store.prune({ keepLast: 6 })
  await store.maintain()
  await store.close()
  for (const name of ["leases", "locks"]) {
    const left = readdirSync(join(place.gitdir, name))
    if (left.length > 0) lose(`${name}/ still holds ${left.join(", ")}`)
  }
}
