import { expect, test } from "vitest"
import { chosenPart } from "../../app/model/plan-part.js"
import type { FileVersion, RestorePlan } from "../../src/index.js"

const file: FileVersion = { mode: "100644", oid: "1".repeat(40) }
const plan: RestorePlan = {
  target: { to: "latest" },
  tree: "2".repeat(40),
  base: "3".repeat(40),
  writes: [
    { path: "a", after: file },
    { path: "b.txt", before: file, after: file },
  ],
  deletes: [
    { path: "a/in-the-way.txt", before: file },
    { path: "ab.txt", before: file },
  ],
  keeps: [{ path: "kept.txt", reason: "ignored" }],
}

test("the part of a plan has what is ticked and all that the plan was made from", () => {
  const part = chosenPart(plan, new Set(["b.txt", "ab.txt"]))
  expect(part).toEqual({ ...plan, writes: [plan.writes[1]], deletes: [plan.deletes[1]] })
})

test("what is in a folder goes when a file that is ticked comes in its place", () => {
  expect(chosenPart(plan, new Set(["a"])).deletes).toEqual([plan.deletes[0]])
})
