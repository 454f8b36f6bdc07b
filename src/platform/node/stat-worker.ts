/* A thread that compares paths with what is known of them. */
import { parentPort } from "node:worker_threads"
import { namesOf, type StatColumns } from "../../core/stat-checker.js"
import { changedRows } from "./changed-rows.js"

/** What to compare. A table that was sent before is not sent again. */
export interface StatQuestion {
  readonly root: string
  readonly columns: StatColumns | undefined
  readonly start: number
  readonly end: number
}

let columns: StatColumns | undefined
let names = ""

parentPort?.on("message", (question: StatQuestion) => {
  if (question.columns !== undefined) {
    columns = question.columns
    names = namesOf(columns)
  }
  const { root, start, end } = question
  parentPort?.postMessage(columns === undefined ? [] : changedRows(root, columns, names, start, end))
})
