import type { Outcome, RestoreReport } from "../../src/snapshot-store.js"
import { count } from "./text.js"

/** What a restore came to, in a sentence. */
export function reportSentence({ outcomes, complete }: RestoreReport): string {
  if (outcomes.length === 0) return "Nothing was different: no file was touched."
  const of = (action: Outcome["action"]): number => outcomes.filter((outcome) => outcome.action === action).length
  const parts = [
    [of("written"), "written"],
    [of("merged"), "merged"],
    [of("deleted"), "deleted"],
    [of("kept"), "kept"],
    [of("failed"), "failed"],
  ] as const
  const told = parts
    .filter(([number]) => number > 0)
    .map(([number, what], at) => (at === 0 ? `${count(number, "file")} ${what}` : `${number} ${what}`))
  return `${told.join(", ")}.${complete ? "" : " Not everything could be done."}`
}
