/*
 * Eight processes that capture one work tree, each with a file of its own in it, and one that prunes and maintains beside
 * them. No capture fails or is lost, and each holds what its process had just written.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../../src/index.js"
import { startChild } from "./child-process.js"
import type { Part } from "./part.js"
import { problemsOf, thoroughProblemsOf } from "./store-check.js"

export const concurrency: Part = {
  name: "concurrency",
  title: `eight processes that capture, and one that maintains`,
  share: 3,
  async run({ random, folder, isOver, ran, lose }) {
    for (let round = 1; !isOver(); round++) {
      // A store of the last rounds: each begins with what the one before left.
      const at = join(folder, `store-${Math.floor(round / ROUNDS_A_STORE)}`)
      const place = { worktree: join(at, "work"), gitdir: join(at, "store.git"), workspace: "shared" }
      mkdirSync(place.worktree, { recursive: true })
      const durability = random(2) === 0 ? "power" : "process"
      const common = { ...place, durability }
      const capturing = Array.from({ length: PROCESSES }, (_, number) =>
        startChild("worker", {
          ...common,
          steps: ["capture"],
          count: CAPTURES,
          ownFile: `own${number}.txt`,
          seed: random(1_000_000_000),
        }),
      )
      const maintaining = startChild("worker", {
        ...common,
        steps: ["prune", "maintain"],
        ownFile: "nothing.txt",
        seed: random(1_000_000_000),
      })
      const ends = await Promise.all(capturing.map(({ ended }) => ended))
      maintaining.process.kill("SIGKILL")
      const { signal, complaints } = await maintaining.ended
      if (signal !== "SIGKILL") lose(`the maintaining process ended by itself: ${complaints}`)
      for (const end of ends) if (end.complaints !== "") lose(`a capture failed: ${end.complaints}`)
      const told = capturing.flatMap((child) => child.told)
      for (const { what, problem } of told) if (what === "wrong") lose(String(problem))
      const captured = told.filter(({ what }) => what === "captured").map(({ id }) => String(id))
      if (captured.length !== PROCESSES * CAPTURES)
        lose(`${captured.length} captures instead of ${PROCESSES * CAPTURES}`)
      const store = await openStore({ ...place, retention: false })
      const listed = new Set((await store.list()).map(({ id }) => id))
      await store.close()
      for (const id of captured) if (!listed.has(id)) lose(`${id} is not listed`)
      const isThorough = round % ROUNDS_A_STORE === ROUNDS_A_STORE - 1
      for (const problem of isThorough ? await thoroughProblemsOf(place) : await problemsOf(place.gitdir)) lose(problem)
      const maintained = maintaining.told.filter(({ what }) => what === "maintain done").length
      ran({ captures: captured.length, "maintenance runs beside them": maintained })
    }
  },
}

const PROCESSES = 8
const CAPTURES = 8
const ROUNDS_A_STORE = 5
