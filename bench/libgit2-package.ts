/*
 * libgit2 for Node, fetched beside the trees: a lock file that names it cannot be installed from where only some of its
 * packages for other systems are to be had.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"

export const LIBGIT2_VERSION = "0.4.0"
const PLACE = "TREESHOT_BENCH_LIBGIT2"

/** What is used of es-git. */
export interface Libgit2 {
  initRepository(path: string, options: { readonly bare: boolean }): Promise<unknown>
  openRepository(path: string): Promise<{ index(): Libgit2Index }>
}

/** An index of libgit2. */
export interface Libgit2Index {
  addAll(patterns: readonly string[]): void
  write(): void
  writeTree(): string
}

/** Fetches it into `cache`, once, for the processes that are started from here on. */
export async function fetchLibgit2(cache: string, say: (line: string) => void): Promise<void> {
  const place = join(cache, `es-git-${LIBGIT2_VERSION}`)
  process.env[PLACE] = place
  if (existsSync(join(place, "node_modules/es-git"))) return
  say(`fetching es-git@${LIBGIT2_VERSION}`)
  await mkdir(place, { recursive: true })
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const args = [
    "install",
    "--prefix",
    place,
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    `es-git@${LIBGIT2_VERSION}`,
  ]
  const done = spawnSync(npm, args, { encoding: "utf8", shell: process.platform === "win32" })
  if (done.status !== 0) throw new Error(`es-git could not be fetched: ${done.stderr}`)
}

/** It, in a process that was started since. */
export function loadLibgit2(): Libgit2 {
  const place = process.env[PLACE]
  if (place === undefined) throw new Error("es-git was not fetched")
  return createRequire(join(place, "package.json"))("es-git") as Libgit2
}
