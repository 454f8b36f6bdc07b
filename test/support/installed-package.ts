import { execFileSync } from "node:child_process"
import { cpSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url))

/**
 * Puts the built package below `project` as an installation from a registry would: the files that would be
 * published, and what they depend on, without what only this checkout's development needs.
 */
export function installPackage(project: string): void {
  for (const path of publishedFiles()) cpSync(join(CHECKOUT, path), join(project, "node_modules", "treeshot", path))
  for (const path of installedDependencies()) cpSync(join(CHECKOUT, path), join(project, path), { recursive: true })
}

/** The paths that `npm publish` would take, relative to the checkout. */
function publishedFiles(): readonly string[] {
  const text = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=silent"], {
    cwd: CHECKOUT,
    shell: process.platform === "win32",
  }).toString()
  const packed = JSON.parse(text) as readonly { readonly files: readonly { readonly path: string }[] }[]
  return packed.flatMap((one) => one.files.map((file) => file.path))
}

function installedDependencies(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(CHECKOUT, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>
  }
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== "" && entry.dev !== true && entry.devOptional !== true)
    .map(([path]) => path)
}
