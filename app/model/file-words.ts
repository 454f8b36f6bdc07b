import type { FileDiff } from "../../src/snapshot-store.js"
import { kindOf } from "./words.js"

/** What is to be said of a change that its lines do not show. */
export function fileWords({ status, before, after, binary, additions, deletions }: FileDiff): string[] {
  const was = before?.mode
  const is = after?.mode
  const words: string[] = []
  if (was !== undefined && is !== undefined && was !== is) {
    if (was === "100644" && is === "100755") words.push("It can be executed now.")
    else if (was === "100755" && is === "100644") words.push("It can no longer be executed.")
    else words.push(`It was ${kindOf(was)}, and is ${kindOf(is)} now.`)
  } else {
    const mode = is ?? was
    if (mode === "120000") words.push("A link: its line is where it leads to.")
    if (mode === "40000") words.push("An empty folder.")
    if (mode === "160000") words.push("A nested repository.")
    if (mode === "100755" && status === "added") words.push("It can be executed.")
  }
  const isSame = before !== undefined && after !== undefined && before.oid === after.oid
  if (binary && !isSame) words.push(BINARY[status])
  const isFile = (is ?? was)?.startsWith("100") === true
  if (!binary && isFile && !isSame && additions + deletions === 0)
    words.push(status === "modified" ? "Its lines are the same." : "It is empty.")
  const permissions = [before?.permissions, after?.permissions]
  if (isSame && was === is && permissions.some((bits) => bits !== undefined))
    words.push("Only its permissions changed.")
  return words
}

const BINARY: Readonly<Record<FileDiff["status"], string>> = {
  added: "A new binary file: it has no lines to show.",
  deleted: "A binary file that is gone.",
  modified: "A binary file: its content changed.",
  typechange: "A binary file: it has no lines to show.",
}
