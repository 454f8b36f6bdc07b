import { playwright } from "@vitest/browser-playwright"
import { defineConfig, type TestProjectConfiguration } from "vitest/config"
import { findChromium, type ChromiumLaunch } from "./test/support/chromium.js"

const FOLDERS = ["contract", "conformance", "faults", "package", "app"]

export default defineConfig({
  test: {
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    coverage: { include: ["src/**"] },
    projects: [
      project("unit", ["test/**/*.test.ts"], [...FOLDERS, "browser", "support"]),
      ...FOLDERS.map((folder) => project(folder, [`test/${folder}/**/*.test.ts`])),
      browserProject(),
    ],
  },
})

function project(name: string, include: string[], excluded: readonly string[] = []): TestProjectConfiguration {
  // A page is waited for two minutes at each step.
  const patience = name === "app" ? { testTimeout: 600_000, hookTimeout: 600_000 } : {}
  const exclude = excluded.map((folder) => `test/${folder}/**`)
  // Files share their process, as nothing in it is theirs alone: to load every module anew for each takes a minute.
  return { extends: true, test: { name, include, exclude, isolate: false, ...patience } }
}

/* Where there is no Chromium, one test says so and fails in the place of those that need it. */
function browserProject(): TestProjectConfiguration {
  const launchOptions = chromiumIfAny()
  if (launchOptions === undefined) return project("browser", ["test/support/no-chromium.test.ts"])
  return {
    extends: true,
    test: {
      name: "browser",
      include: ["test/browser/**/*.test.ts"],
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions }),
        instances: [{ browser: "chromium" }],
      },
    },
  }
}

function chromiumIfAny(): ChromiumLaunch | undefined {
  try {
    return findChromium()
  } catch {
    return undefined
  }
}
