import prettyBytes from "pretty-bytes"
import type { StoreStatus } from "../snapshot-store.js"
import { indent } from "./changes.js"
import type { Command, Session } from "./command.js"
import { DONE } from "./failure.js"
import { hintLines } from "./hints.js"
import { table } from "./table.js"
import { age, count, grouped, localTime, printable } from "./text.js"

/** Tells what is in the store. */
export const status: Command = {
  name: "status",
  operands: "",
  summary: "Tell what the store holds and what it takes",
  about: `It changes nothing, and works while others capture, restore and clean up.
Reclaimable is what treeshot gc would give back now.`,
  options: [],
  examples: [["status", "How many snapshots, how many bytes, and what was left over."]],
  prepare: () => async (session) => {
    const found = await session.store.status()
    session.finishProgress()
    if (session.screen.json) session.screen.printJson(found)
    else session.screen.print(...statusLines(found, session))
    return DONE
  },
}

function statusLines(found: StoreStatus, session: Session): string[] {
  const { snapshots, otherWorkspaces, oldest, newest, bytes, packs, reclaimable, maintainedAt, leftovers } = found
  const { screen, now, suggest } = session
  const { captures, safety, pinned } = snapshots
  const timed = (date: Date): string => `${localTime(date)} (${age(date, now)})`
  const parts = (["packs", "loose", "caches", "other"] as const)
    .filter((part) => bytes[part] > 0)
    .map((part) => `${part} ${prettyBytes(bytes[part])}`)
  const rows = [
    ["folder", printable(found.worktree)],
    ["store", printable(found.gitdir)],
    ["snapshots", `${count(captures, "capture")}, ${grouped(safety)} safety, ${grouped(pinned)} pinned`],
    ...(oldest === undefined ? [] : [["oldest", timed(oldest)]]),
    ...(newest === undefined ? [] : [["newest", timed(newest)]]),
    ...(otherWorkspaces > 0 ? [["shared with", count(otherWorkspaces, "other workspace")]] : []),
    ["size", `${prettyBytes(bytes.total)}: ${[...parts, count(packs, "pack")].join(", ")}`],
    ...(bytes.shared > 0
      ? [["no cost", `${prettyBytes(bytes.shared)} in packs that a repository of yours has, too`]]
      : []),
    ["reclaimable", prettyBytes(reclaimable)],
    ["maintained", maintainedAt === undefined ? "not yet" : timed(maintainedAt)],
  ]
  return [
    ...table([{}, {}], rows, Infinity),
    ...(leftovers.length > 0 ? ["", "Left over:", ...leftovers.map(printable).map(indent)] : []),
    ...(reclaimable > 0 ? ["", ...hintLines([[suggest("gc"), "gives back what is reclaimable"]], screen.columns)] : []),
  ]
}
