import { expect, test } from "vitest"
import { cutPatch } from "../../app/model/cut-patch.js"

const HEADER = "diff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n"

test("a patch is cut after so many lines of content, and tells how many are left", () => {
  const { text, linesLeft } = cutPatch(`${HEADER}@@ -1,2 +1,2 @@\n one\n-two\n+three\n`, 3)
  expect(text).toBe(`${HEADER}@@ -1,2 +1,2 @@\n one\n-two\n`)
  expect(linesLeft).toBe(1)
})

test("a patch without lines, as of a mode or a binary file, has no text", () => {
  expect(cutPatch("diff --git a/f b/f\nold mode 100644\nnew mode 100755\n", 10)).toEqual({ text: "", linesLeft: 0 })
})

test("a very long line is cut, and says so", () => {
  const { text } = cutPatch(`${HEADER}@@ -0,0 +1 @@\n+${"x".repeat(5_000)}\n`, 10)
  expect(text).toContain("x … 3,001 characters more\n")
  expect(text.length).toBeLessThan(2_200)
})

test("what turns the reading direction or steers a terminal shows as an escape, and tabs stay", () => {
  const { text } = cutPatch(`${HEADER}@@ -0,0 +1 @@\n+a\u202Eb\u001B[31m\tc\r\n`, 10)
  expect(text).toContain("+a\\u{202E}b\\u{1B}[31m\tc\n")
})
