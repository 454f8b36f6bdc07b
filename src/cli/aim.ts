import { isSnapshotError } from "../core/errors.js"
import type { RestoreTarget } from "../snapshot-store.js"
import type { Session } from "./command.js"
import { nameOf, printable, shortId } from "./text.js"
import { wrongUse } from "./values.js"

/** What a restore, a revert, an undo or a redo is after. */
export interface Aim {
  readonly target: RestoreTarget
  /** The words of the command that does it. */
  readonly command: readonly string[]
  /** The command that takes it back. */
  readonly back: "undo" | "redo"
  /** Above a plan. */
  readonly planned: string
  /** Above a report. */
  readonly done: string
  readonly notAll: string
  /** In place of both where there is nothing to do. */
  readonly idle: string
}

/** Takes an aim's revisions and checks them when the store is open. */
export type FindAim = (session: Session) => Promise<Aim>

/** Back to a snapshot or a tree. */
export async function aimAt(rev: string, session: Session): Promise<Aim> {
  const { id, name } = await find(rev, session)
  return {
    target: { to: id },
    command: ["restore", shortId(id)],
    back: "undo",
    planned: `To restore ${name}:`,
    done: `Restored ${name}:`,
    notAll: `Not all of ${name} could be restored:`,
    idle: `Nothing to do: everything is as in ${name}.`,
  }
}

/** Without what changed from one snapshot to another. */
export async function aimWithout(from: string, to: string, session: Session): Promise<Aim> {
  const [before, after] = [await find(from, session), await find(to, session)]
  const step = `what changed from ${before.name} to ${after.name}`
  return {
    target: { revert: { from: before.id, to: after.id } },
    command: ["revert", shortId(before.id), shortId(after.id)],
    back: "undo",
    planned: `To take back ${step}:`,
    done: `Took back ${step}:`,
    notAll: `Not all of ${step} could be taken back:`,
    idle: `Nothing to do: nothing is left of ${step}.`,
  }
}

/** As it was before the last restore or revert. */
export const UNDO: Aim = {
  target: { undo: true },
  command: ["undo"],
  back: "redo",
  planned: "To undo the last restore:",
  done: "Undid the last restore:",
  notAll: "Not all of the last restore could be undone:",
  idle: "Nothing to do: nothing is left of the last restore.",
}

/** As it was before the last undo. */
export const REDO: Aim = {
  target: { redo: true },
  command: ["redo"],
  back: "undo",
  planned: "To redo what was undone last:",
  done: "Redid what was undone last:",
  notAll: "Not all of what was undone last could be redone:",
  idle: "Nothing to do: what was undone last is there.",
}

/** What the operands of plan ask for: INVALID_ARGUMENT. */
export function aimOf([what = "", ...revs]: readonly string[]): FindAim {
  const [from, to] = revs
  if (what === "revert") {
    if (from === undefined || to === undefined)
      throw wrongUse(from === undefined ? "from" : "to", "plan revert needs two snapshots: <from> and <to>.")
    return (session) => aimWithout(from, to, session)
  }
  if (from !== undefined)
    throw wrongUse("arguments", `"${printable(from)}" is one argument too many for plan; paths stand after "--".`)
  if (what === "undo") return () => Promise.resolve(UNDO)
  if (what === "redo") return () => Promise.resolve(REDO)
  return (session) => aimAt(what, session)
}

/** A snapshot by its id, so that "latest" means one thing all the while; else a tree's oid as it was given. */
async function find(rev: string, { store, now }: Session): Promise<{ readonly id: string; readonly name: string }> {
  try {
    const snapshot = await store.resolve(rev)
    return { id: snapshot.id, name: nameOf(snapshot, now) }
  } catch (error) {
    if (isSnapshotError(error, "NOT_A_SNAPSHOT")) return { id: rev, name: `tree ${printable(shortId(rev))}` }
    throw error
  }
}
