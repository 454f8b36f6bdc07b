import { spawnSync } from "node:child_process"
import { chmod, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { listFiles } from "../list-files.js"
import { label, RECIPES, type Source, type TreeName } from "./recipes.js"

/** A made folder. */
export interface BenchTree {
  readonly name: TreeName
  readonly folder: string
  /** Paths of all files. */
  readonly paths: readonly string[]
  readonly folders: number
  readonly bytes: number
  readonly packages: readonly string[]
}

/** The folder in `cache`, made when it is not there yet. `say` is told of each step. */
export async function makeTree(name: TreeName, cache: string, say: (line: string) => void): Promise<BenchTree> {
  refuseRepository(cache)
  const { sources, files, bytes } = RECIPES[name]
  const folder = join(cache, name)
  const packages = sources.map(label)
  const made = join(cache, `${name}.json`)
  if (!(await isMadeOf(made, packages))) {
    await rm(made, { force: true })
    await rm(folder, { recursive: true, force: true })
    await mkdir(cache, { recursive: true })
    for (const source of sources) {
      say(`fetching ${label(source)}`)
      await unpack(source, cache, join(folder, label(source)))
    }
    await writeFile(made, JSON.stringify(packages))
  }
  say(`reading every file of the ${name} tree once`)
  const tree = { name, folder, packages, ...(await measure(folder)) }
  if (tree.paths.length !== files || tree.bytes !== bytes)
    throw new Error(
      `${folder} holds ${tree.paths.length} files with ${tree.bytes} bytes, not ${files} with ${bytes}; ` +
        "remove it and run again",
    )
  return tree
}

/** Inside a repository the repository's ignore rules would count for some contenders and not for others. */
function refuseRepository(cache: string): void {
  for (let folder = cache; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, ".git")))
      throw new Error(`${cache} lies in the repository ${folder}; name another folder with --cache`)
}

async function isMadeOf(made: string, packages: readonly string[]): Promise<boolean> {
  return existsSync(made) && (await readFile(made, "utf8")) === JSON.stringify(packages)
}

async function unpack(source: Source, cache: string, target: string): Promise<void> {
  const unpacked = join(cache, "unpacked")
  await rm(unpacked, { recursive: true, force: true })
  await mkdir(unpacked, { recursive: true })
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const tarball =
    output(npm, ["pack", "--silent", "--ignore-scripts", label(source)], cache)
      .split("\n")
      .at(-1) ?? ""
  output("tar", ["-xzf", join("..", tarball), "--strip-components=1"], unpacked)
  await mkdir(dirname(target), { recursive: true })
  await rename(join(unpacked, source.only ?? ""), target)
  await rm(join(cache, tarball))
  await rm(unpacked, { recursive: true, force: true })
  for (const path of (await listFiles(target)).files) {
    const file = join(target, path)
    await chmod(file, ((await lstat(file)).mode & 0o100) === 0 ? 0o644 : 0o755)
  }
}

/** Counts, and leaves every file in the page cache: the contenders are compared, not the disk. */
async function measure(folder: string): Promise<Pick<BenchTree, "paths" | "folders" | "bytes">> {
  const { files, folders } = await listFiles(folder)
  let bytes = 0
  for (const file of files) bytes += (await readFile(join(folder, file))).length
  return { paths: files.toSorted(), folders: folders.length, bytes }
}

function output(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, shell: process.platform === "win32", encoding: "utf8" })
  if (done.error !== undefined) throw new Error(`${command} could not be started: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")} gave ${done.status}: ${done.stderr}`)
  return done.stdout.trim()
}
