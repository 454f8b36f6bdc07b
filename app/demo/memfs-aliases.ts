import { fileURLToPath } from "node:url"

/** What stands in for Node's modules, so that memfs can be bundled for browsers and leaves the page's globals alone. */
export function memfsAliases(): Record<string, string> {
  return {
    "node:buffer": fileURLToPath(import.meta.resolve("buffer/")),
    "node:events": fileURLToPath(import.meta.resolve("events/")),
    "node:path": fileURLToPath(import.meta.resolve("path-browserify")),
    "node:stream": standIn("stream"),
    "node:url": standIn("url"),
    process: standIn("process"),
  }
}

function standIn(name: string): string {
  return fileURLToPath(new URL(`node-stand-ins/${name}.js`, import.meta.url))
}
