import prettyBytes from "pretty-bytes"
import type { UserStore } from "../snapshot-store.js"
import type { Command, Surroundings, Words } from "./command.js"
import { DONE, FAILED } from "./failure.js"
import { YES } from "./restore-options.js"
import { table, type Column } from "./table.js"
import { age, count, grouped, printable, printablePath } from "./text.js"
import { wrongUse } from "./values.js"

/** Lists the stores of the user, and removes those that nobody needs. */
export const stores: Command = {
  apart: true,
  name: "stores",
  operands: "",
  summary: "List your stores with their folders, sizes and ages",
  about: `Stores that were made with --store are not among them. --remove deletes those
whose folder is gone, with all their snapshots. A folder on a disk that is not
mounted looks gone, too: on a terminal it shows them and asks first, and
elsewhere it deletes nothing without --yes.`,
  options: [{ usage: "--remove", text: "Delete the stores whose folder is gone" }, YES],
  examples: [
    ["stores", "What there is, the largest first."],
    ["stores --remove", "Delete what belongs to folders that are gone."],
  ],
  prepare: (words) => async (surroundings) => {
    // Help and wrong use are told without the time that loading this takes.
    const { listStores } = await import("../open-store.js")
    const found = await listStores()
    if (words.has("remove")) return remove(found, words, surroundings)
    const { screen } = surroundings
    if (screen.json) screen.printJson(found)
    else if (found.length === 0) screen.print("You have no store yet.")
    else screen.print(...storeTable(found, surroundings), summary(found))
    return DONE
  },
}

async function remove(found: readonly UserStore[], words: Words, surroundings: Surroundings): Promise<number> {
  const { screen, confirm } = surroundings
  const gone = found.filter(({ worktree }) => worktree === "gone")
  if (gone.length > 0 && !words.has("yes")) {
    if (confirm === undefined)
      throw wrongUse(
        "yes",
        `${count(gone.length, "store")} would be deleted. Look at them with stores, then say --yes.`,
      )
    screen.print(...storeTable(gone, surroundings))
    if (!(await confirm(`Delete ${count(gone.length, "store")} with all snapshots in them?`))) {
      screen.print("Nothing was touched.")
      return FAILED
    }
  }
  const { removeStores } = await import("../open-store.js")
  const failures = await removeStores(gone)
  const removed = gone.filter((store) => !failures.has(store))
  if (screen.json) {
    const kept = [...failures].map(([{ gitdir }, { code, message }]) => ({ gitdir, error: { code, message } }))
    screen.printJson({ removed, kept })
  } else {
    screen.note(...[...failures.values()].map(({ message }) => printable(message)))
    if (removed.length > 0 && confirm === undefined) screen.print(...storeTable(removed, surroundings))
    screen.print(`Deleted ${removed.length === 0 ? "no store." : summary(removed)}`)
  }
  return failures.size === 0 ? DONE : FAILED
}

function storeTable(found: readonly UserStore[], { screen, now }: Surroundings): string[] {
  const columns: Column[] = [
    { title: "FOLDER", cut: "start" },
    { title: "" },
    { title: "SNAPSHOTS", align: "right" },
    { title: "SIZE", align: "right" },
    { title: "NEWEST" },
    { title: "STORE" },
  ]
  const rows = found.map(({ gitdir, worktree, worktrees, snapshots, bytes, newest }) => [
    worktrees.length === 0 ? "?" : worktrees.map(({ path }) => printablePath(path)).join(", "),
    worktree === "there" ? "" : { text: worktree, paint: (text: string) => screen.paint("red", text) },
    grouped(snapshots),
    prettyBytes(bytes),
    newest === undefined ? "" : age(newest, now).replace(" ago", ""),
    printablePath(gitdir.slice(gitdir.lastIndexOf("/") + 1)),
  ])
  const [heading = "", ...lines] = table(columns, rows, screen.columns)
  return [screen.paint("dim", heading), ...lines]
}

function summary(found: readonly UserStore[]): string {
  const bytes = found.reduce((sum, store) => sum + store.bytes, 0)
  return `${count(found.length, "store")}, ${prettyBytes(bytes)}.`
}
