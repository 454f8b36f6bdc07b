/*
 * A restore from its plan to its report: what would be done is shown first, and only what is ticked of it is done.
 */
import { signal, type ReadonlySignal } from "@preact/signals"
import type { RestorePlan, RestoreReport, RestoreTarget } from "../../src/snapshot-store.js"
import type { StoreClient } from "../client.js"
import type { Activity } from "./activity.js"
import type { Notices } from "./notices.js"
import { chosenPart } from "./plan-part.js"
import { problemOf, type Problem } from "./problem.js"
import { reportSentence } from "./report-sentence.js"

/** What is to be restored, and how that is called. */
export interface Aim {
  readonly title: string
  readonly target: RestoreTarget
  /** Files that were added since may stay: only where a snapshot is gone back to. */
  readonly offersAdded: boolean
}

/** Where a restore stands. */
export type Step =
  | { readonly step: "planning" }
  | { readonly step: "review"; readonly plan: RestorePlan; readonly ticked: ReadonlySet<string> }
  | { readonly step: "applying"; readonly plan: RestorePlan; readonly ticked: ReadonlySet<string> }
  | { readonly step: "done"; readonly report: RestoreReport }
  | { readonly step: "failed"; readonly problem: Problem }

export type Restore = Step & { readonly aim: Aim; readonly keepsAdded: boolean }

/** The restore that is on the screen, if any, and undo and redo. */
export interface Restoring {
  readonly current: ReadonlySignal<Restore | undefined>
  /** Makes a plan and shows it. */
  begin(aim: Aim): void
  /** Makes the plan anew, with files that were added since kept or removed. */
  keepAdded(keeps: boolean): void
  tick(paths: readonly string[], ticked: boolean): void
  /** Does what is ticked. */
  apply(): Promise<void>
  close(): void
  undo(): Promise<void>
  redo(): Promise<void>
}

export function restoring(client: StoreClient, activity: Activity, notices: Notices): Restoring {
  const current = signal<Restore | undefined>(undefined)

  async function plan(aim: Aim, keepsAdded: boolean): Promise<void> {
    const mine: Restore = { step: "planning", aim, keepsAdded }
    current.value = mine
    const isMine = (): boolean => current.value === mine
    try {
      const options = aim.offersAdded && keepsAdded ? { added: "keep" as const } : {}
      const made = await client.plan(aim.target, options)
      const ticked = new Set([...made.writes, ...made.deletes].map(({ path }) => path))
      if (isMine()) current.value = { aim, keepsAdded, step: "review", plan: made, ticked }
    } catch (error) {
      if (isMine()) current.value = { aim, keepsAdded, step: "failed", problem: problemOf(error) }
    }
  }

  async function apply(): Promise<void> {
    const reviewed = current.value
    if (reviewed?.step !== "review") return
    const { aim, keepsAdded } = reviewed
    const applying: Restore = { ...reviewed, step: "applying" }
    current.value = applying
    let end: Step
    try {
      const part = chosenPart(reviewed.plan, reviewed.ticked)
      end = { step: "done", report: await activity.run("Restoring", () => client.apply(part)) }
    } catch (error) {
      end = { step: "failed", problem: problemOf(error) }
    }
    if (current.value === applying) current.value = { aim, keepsAdded, ...end }
  }

  async function back(what: string, nothing: string, call: () => Promise<RestoreReport>): Promise<void> {
    current.value = undefined
    try {
      const report = await activity.run(what, call)
      const again =
        what === "Undoing" ? { label: "Redo", run: () => void redo() } : { label: "Undo", run: () => void undo() }
      notices.tell({ kind: report.complete ? "done" : "problem", text: reportSentence(report), action: again })
    } catch (error) {
      if (problemOf(error).code === "NOTHING_TO_UNDO") notices.tell({ kind: "done", text: nothing })
      else notices.tellProblem(error)
    }
  }

  const undo = (): Promise<void> => back("Undoing", "There is nothing to undo.", () => client.undo())
  const redo = (): Promise<void> => back("Redoing", "There is nothing to redo.", () => client.redo())

  return {
    current,
    begin: (aim) => void plan(aim, false),
    keepAdded(keeps) {
      if (current.value !== undefined) void plan(current.value.aim, keeps)
    },
    tick(paths, ticked) {
      if (current.value?.step !== "review") return
      const next = new Set(current.value.ticked)
      for (const path of paths)
        if (ticked) next.add(path)
        else next.delete(path)
      current.value = { ...current.value, ticked: next }
    },
    apply,
    close() {
      const ended = current.value
      current.value = undefined
      if (ended?.step !== "done" || ended.report.undo === undefined) return
      const action = { label: "Undo", run: () => void undo() }
      notices.tell({ kind: ended.report.complete ? "done" : "problem", text: reportSentence(ended.report), action })
    },
    undo,
    redo,
  }
}
