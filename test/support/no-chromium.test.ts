import { test } from "vitest"
import { findChromium } from "./chromium.js"

test("a Chromium is there for the tests that run in a browser", () => {
  findChromium()
})
