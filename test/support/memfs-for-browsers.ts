import { fileURLToPath } from "node:url"
import { build } from "vite"
import { memfsAliases } from "../../app/demo/memfs-aliases.js"

/**
 * Writes memfs to `folder` as one module that runs in browsers: it brings its own stand-ins for what it takes from
 * Node, and leaves the page's globals alone.
 */
export async function bundleMemfs(folder: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: "warn",
    resolve: { alias: memfsAliases() },
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL("memfs-for-browsers-entry.js", import.meta.url)),
        formats: ["es"],
        fileName: () => "index.js",
      },
    },
  })
}
