import prettyBytes from "pretty-bytes"
import { isSnapshotError } from "../core/errors.js"
import type { MaintainReport } from "../snapshot-store.js"
import type { Command, Session, Words } from "./command.js"
import { DONE } from "./failure.js"
import { patiently } from "./patience.js"
import { count } from "./text.js"

/** Tidies a store up. */
export const gc: Command = {
  name: "gc",
  operands: "",
  summary: "Remove what no snapshot needs, and pack the rest",
  about: `Snapshots that prune or forget let go give their space back now. Small packs
are folded into larger ones, and of contents that differ little only the
differences are kept. Safe beside captures; no snapshot changes.

This happens by itself, in the background, after every 50 snapshots or a day.`,
  options: [{ usage: "--auto", text: "First let go what is not to stay; quiet when one runs" }],
  examples: [["gc", "Tidy up now."]],
  prepare,
}

function prepare(words: Words): (session: Session) => Promise<number> {
  const isAuto = words.has("auto")
  return async (session) => {
    const { store, screen, signal, onProgress } = session
    try {
      const report = await (isAuto
        ? store.maintain({ signal, onProgress, automatic: true })
        : patiently(() => store.maintain({ signal, onProgress }), signal))
      session.finishProgress()
      if (screen.json) screen.printJson(report)
      else screen.print(...lines(report))
    } catch (error) {
      if (!isAuto || !isSnapshotError(error, "LOCK_HELD")) throw error
    }
    return DONE
  }
}

function lines(report: MaintainReport): string[] {
  const { objectsRemoved, objectsTakenOver, bytesFreed, packsRemoved, packsWritten, refsPacked, adopted } = report
  const found = [
    ...(bytesFreed > 0 ? [`${prettyBytes(bytesFreed)} freed.`] : []),
    ...(objectsRemoved > 0 ? [`${count(objectsRemoved, "object")} removed.`] : []),
    ...(packsWritten > 0 ? [`${count(packsRemoved, "pack")} made way for ${packsWritten}.`] : []),
    ...(packsWritten === 0 && packsRemoved > 0 ? [`${count(packsRemoved, "pack")} removed.`] : []),
    ...(objectsTakenOver > 0 ? [`${count(objectsTakenOver, "object")} taken over from other repositories.`] : []),
    ...(refsPacked > 0 ? [`${count(refsPacked, "ref")} packed.`] : []),
    ...(adopted > 0 ? [`${count(adopted, "tree")} of another tool kept with refs.`] : []),
  ]
  return found.length === 0 ? ["There was nothing to tidy up."] : found
}
