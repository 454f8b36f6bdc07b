/* A thread that looks at paths of which something is known. */
import { parentPort } from "node:worker_threads"
import { namesOf, type StatColumns, type ToldColumns } from "../../core/stat-checker.js"
import { changedRows } from "./changed-rows.js"
import { surveyRows } from "./survey-rows.js"

/** Which rows to look at. */
export interface StatQuestion {
  readonly root: string
  readonly start: number
  readonly end: number
  /** What to compare. A table that was sent before is not sent again. */
  readonly columns?: StatColumns | undefined
  /** What to survey; nothing is compared then. */
  readonly told?: ToldColumns | undefined
}

let columns: StatColumns | undefined
let names = ""

parentPort?.on("message", ({ root, start, end, told, ...question }: StatQuestion) => {
  if (told !== undefined) {
    surveyRows(root, told, namesOf(told), start, end)
    parentPort?.postMessage([])
    return
  }
  if (question.columns !== undefined) {
    columns = question.columns
    names = namesOf(columns)
  }
  parentPort?.postMessage(columns === undefined ? [] : changedRows(root, columns, names, start, end))
})
