/* A thread that compares paths with what is known of them. */
import { parentPort } from "node:worker_threads"
import { namesOf, type StatColumns } from "../../core/stat-checker.js"
import { compareNext, type FoundRows } from "./shared-rows.js"

/** What to compare. A table that was sent before is not sent again. */
export interface StatQuestion {
  readonly root: string
  readonly columns: StatColumns | undefined
  /** How many portions were taken, by all threads. */
  readonly taken: Int32Array
}

let columns: StatColumns | undefined
let names = ""

parentPort?.on("message", (question: StatQuestion) => {
  if (question.columns !== undefined) {
    columns = question.columns
    names = namesOf(columns)
  }
  parentPort?.postMessage(answerTo(question))
})

function answerTo({ root, taken }: StatQuestion): FoundRows {
  const changed: number[] = []
  let portions = 0
  if (columns === undefined) return { portions, changed }
  const rows = { root, columns, names, taken }
  for (let found = compareNext(rows); found !== undefined; found = compareNext(rows)) {
    portions++
    changed.push(...found)
  }
  return { portions, changed }
}
