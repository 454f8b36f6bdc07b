/*
 * Bundles the package's entries, and each program of a thread. The declarations stay one file for each source file; tsc
 * writes them.
 */
import { readdirSync } from "node:fs"
import { defineConfig, type OutputOptions, type RolldownOptions } from "rolldown"

const threads = [
  "job-program",
  ...readdirSync("src/platform/node")
    .filter((name) => name.endsWith("-worker.ts"))
    .map((name) => `platform/node/${name.slice(0, -".ts".length)}`),
]

export default defineConfig([
  bundle(["index", "browser", "sidecar/index", "opencode/index", "cli/main"], {
    // What is needed to open a store comes in few files: finding and opening one takes as long as compiling it.
    groups: [
      { name: "core", tags: ["$initial"], test: /[\\/]src[\\/]core[\\/]/, priority: 1 },
      { name: "store", tags: ["$initial"], test: /[\\/]src[\\/](?:store|tree|calls)[\\/]/ },
      { name: "platform", tags: ["$initial"], test: /[\\/]src[\\/]platform[\\/][^\\/]+$/ },
    ],
  }),
  // A thread starts fastest with one file to load: these share none.
  ...threads.map((thread) => bundle([thread])),
])

/** The entries at these paths in src become files at the same paths in dist, and what they share files at its top. */
function bundle(entries: readonly string[], codeSplitting: OutputOptions["codeSplitting"] = true): RolldownOptions {
  return {
    input: Object.fromEntries(entries.map((entry) => [entry, `./src/${entry}.ts`])),
    // Packages and Node's own modules. The names of our files begin with a dot, or in full with a slash or a drive.
    external: /^[a-z@]/,
    output: { dir: "dist", entryFileNames: "[name].js", chunkFileNames: "[name].js", codeSplitting },
  }
}
