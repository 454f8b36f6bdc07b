import { fileURLToPath } from "node:url"
import { build } from "vite"

/**
 * Writes memfs to `folder` as one module that runs in browsers: it brings its own stand-ins for what it takes from
 * Node, and leaves the page's globals alone.
 */
export async function bundleMemfs(folder: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: "warn",
    resolve: {
      alias: {
        "node:buffer": fileURLToPath(import.meta.resolve("buffer/")),
        "node:events": fileURLToPath(import.meta.resolve("events/")),
        "node:path": fileURLToPath(import.meta.resolve("path-browserify")),
        "node:stream": part("nodejs-stream"),
        "node:url": part("nodejs-url"),
        process: part("nodejs-process"),
      },
    },
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: { entry: part("index"), formats: ["es"], fileName: () => "index.js" },
    },
  })
}

function part(name: string): string {
  return fileURLToPath(new URL(`memfs-for-browsers/${name}.js`, import.meta.url))
}
