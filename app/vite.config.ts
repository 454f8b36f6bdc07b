/*
 * Builds the page that is served into dist/app; with --mode demo the page that has its store in itself into dist/demo.
 */
import { fileURLToPath } from "node:url"
import { defineConfig } from "vite"
import { memfsAliases } from "./demo/memfs-aliases.js"

export default defineConfig(({ mode }) => {
  const isDemo = mode === "demo"
  return {
    root: here(isDemo ? "demo" : "."),
    // It is served from below a token, or from any folder of a file host.
    base: "./",
    logLevel: "warn",
    resolve: isDemo ? { alias: memfsAliases() } : {},
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: here(isDemo ? "../dist/demo" : "../dist/app"),
      emptyOutDir: true,
      target: "es2022",
      // What is bundled is named with its licence.
      license: { fileName: "licenses.md" },
      // The page's policy allows no addresses with data in them.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1_500,
      // All of the demo is needed at once, and one file comes faster than seventy.
      rolldownOptions: isDemo ? { output: { codeSplitting: false } } : {},
    },
    preview: { host: "127.0.0.1", port: 4_173 },
  }
})

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
