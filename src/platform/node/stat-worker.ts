/* A thread that looks at paths of which something is known. */
import { parentPort } from "node:worker_threads"
import { namesOf, type StatColumns, type ToldColumns } from "../../core/stat-checker.js"
import { compareNext, surveyNext, type FoundRows } from "./shared-rows.js"

/** What to compare, together with other threads. */
export interface CompareQuestion {
  readonly root: string
  /** A table that was sent before is not sent again. */
  readonly columns: StatColumns | undefined
  /** How many portions were taken, by all threads. */
  readonly taken: Int32Array
}

/** What to survey, together with other threads. */
export interface SurveyQuestion {
  readonly root: string
  readonly told: ToldColumns
  readonly taken: Int32Array
}

let columns: StatColumns | undefined
let names = ""

parentPort?.on("message", (question: CompareQuestion | SurveyQuestion) => {
  parentPort?.postMessage("told" in question ? survey(question) : compare(question))
})

function survey({ root, told, taken }: SurveyQuestion): FoundRows {
  const rows = { root, columns: told, names: namesOf(told), taken }
  return takeAll(() => surveyNext(rows))
}

function compare({ root, taken, columns: sent }: CompareQuestion): FoundRows {
  if (sent !== undefined) {
    columns = sent
    names = namesOf(sent)
  }
  const rows = columns && { root, columns, names, taken }
  return takeAll(() => rows && compareNext(rows))
}

function takeAll(next: () => readonly number[] | undefined): FoundRows {
  const changed: number[] = []
  let portions = 0
  for (let found = next(); found !== undefined; found = next()) {
    portions++
    changed.push(...found)
  }
  return { portions, changed }
}
