/* A thread that looks at paths of which something is known. */
import { parentPort } from "node:worker_threads"
import { namesOf, type StatColumns, type ToldColumns } from "../../core/stat-checker.js"
import { compareNext, type FoundRows } from "./shared-rows.js"
import { surveyRows } from "./survey-rows.js"

/** What to compare, together with other threads. */
export interface CompareQuestion {
  readonly root: string
  /** A table that was sent before is not sent again. */
  readonly columns: StatColumns | undefined
  /** How many portions were taken, by all threads. */
  readonly taken: Int32Array
}

/** Which rows to survey. The answer tells nothing but that it was done. */
export interface SurveyQuestion {
  readonly root: string
  readonly told: ToldColumns
  readonly start: number
  readonly end: number
}

let columns: StatColumns | undefined
let names = ""

parentPort?.on("message", (question: CompareQuestion | SurveyQuestion) => {
  parentPort?.postMessage("told" in question ? survey(question) : compare(question))
})

function survey({ root, told, start, end }: SurveyQuestion): FoundRows {
  surveyRows(root, told, namesOf(told), start, end)
  return { portions: 0, changed: [] }
}

function compare({ root, taken, columns: sent }: CompareQuestion): FoundRows {
  if (sent !== undefined) {
    columns = sent
    names = namesOf(sent)
  }
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
