import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { availableParallelism, cpus, totalmem } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { LIBGIT2_VERSION } from "./libgit2-package.js"

/** Where was measured, and which versions were compared. */
export interface Machine {
  readonly platform: string
  readonly cpu: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly node: string
  readonly git: string
  readonly packages: Readonly<Record<string, string>>
}

const PACKAGES = ["isomorphic-git", "just-git"]

export function thisMachine(): Machine {
  const git = spawnSync("git", ["--version"], { encoding: "utf8" })
  return {
    platform: process.platform,
    cpu: cpus()[0]?.model ?? "unknown",
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version.slice(1),
    git: git.status === 0 ? git.stdout.trim().replace("git version ", "") : "none",
    packages: { ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])), "es-git": LIBGIT2_VERSION },
  }
}

/** The version of an installed package: of the nearest package.json above its entry that has one. */
function versionOf(name: string): string {
  let folder = dirname(fileURLToPath(import.meta.resolve(name)))
  for (; folder !== dirname(folder); folder = dirname(folder))
    try {
      const { version, name: named } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest
      if (version !== undefined && named === name) return version
    } catch {
      // There is none here.
    }
  throw new Error(`${name} is not installed`)
}

interface Manifest {
  readonly name?: string
  readonly version?: string
}
