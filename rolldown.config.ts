/*
 * Bundles the package's entries, and each program of a thread. The declarations stay one file for each source file; tsc
 * writes them.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { defineConfig, type OutputOptions, type Plugin, type RolldownOptions } from "rolldown"

const threads = [
  "job-program",
  "maintain-program",
  ...readdirSync("src/platform/node")
    .filter((name) => name.endsWith("-worker.ts"))
    .map((name) => `platform/node/${name.slice(0, -".ts".length)}`),
]

/** The folder of a package. */
const inPackage = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/
/** What is used of isomorphic-git. It is carried, with what that uses. */
const library = "platform/node/git-library"

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
  ...threads.map((thread) => bundle([thread], false)),
  {
    ...bundle([library]),
    // Its module, of which what is not used can be left out; by its package.json Node's is CommonJS.
    resolve: { alias: { "isomorphic-git": resolve("node_modules/isomorphic-git/index.js") } },
    treeshake: { moduleSideEffects: (name) => !inPackage.test(name) },
    external: [],
    // It would compress each object through a stream and a web Response, which takes Node 60 ms to load.
    transform: { define: { CompressionStream: "undefined" } },
    plugins: [licenses()],
  },
])

/** The entries at these paths in src become files at the same paths in dist, and what they share files at its top. */
function bundle(entries: readonly string[], codeSplitting: OutputOptions["codeSplitting"] = true): RolldownOptions {
  return {
    input: Object.fromEntries(entries.map((entry) => [entry, `./src/${entry}.ts`])),
    platform: "node",
    // Packages, Node's own modules, and what is bundled by itself. The names of our files begin with a dot, or in full
    // with a slash or a drive.
    external: [/^[a-z@]/, `./${library}.js`],
    output: { dir: "dist", entryFileNames: "[name].js", chunkFileNames: "[name].js", codeSplitting },
  }
}

/** Names the packages that the package carries parts of, with their licences, in dist/licenses.txt. */
function licenses(): Plugin {
  return {
    name: "licenses",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((output) => (output.type === "chunk" ? output.moduleIds : []))
      const folders = new Set(modules.flatMap((name) => inPackage.exec(name)?.[0] ?? []))
      if (folders.size === 0) return
      const texts = [...folders].toSorted().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
        const text = file === undefined ? "" : `\n\n${readFileSync(join(folder, file), "utf8").trim()}`
        return `${name} ${version} (${license})${text}`
      })
      this.emitFile({ type: "asset", fileName: "licenses.txt", source: `${texts.join("\n\n---\n\n")}\n` })
    },
  }
}
