/*
 * The folder that is captured: published packages, by name and exact version, unpacked side by side. The same files
 * with the same bytes and modes wherever it is made, so that figures can be compared.
 */
import { spawnSync } from "node:child_process"
import { chmod, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { listFiles } from "./list-files.js"

/** A published package and the part of it that is taken. */
interface Source {
  readonly name: string
  readonly version: string
  /** Only this folder of it. */
  readonly only?: string
}

/** A made folder. */
export interface BenchTree {
  readonly folder: string
  readonly files: number
  readonly folders: number
  readonly bytes: number
  readonly packages: readonly string[]
}

const SOURCES: readonly Source[] = [
  { name: "core-js", version: "3.39.0" },
  { name: "date-fns", version: "3.6.0" },
  { name: "effect", version: "3.11.0" },
  { name: "monaco-editor", version: "0.52.2", only: "esm" },
  { name: "rxjs", version: "7.8.1" },
  { name: "three", version: "0.170.0" },
  { name: "typescript", version: "5.6.3" },
]

/** What the sources hold in all. A folder that differs was not made right, and its figures would mean nothing. */
const EXPECTED = { files: 15_752, bytes: 125_179_988 }

/** The folder in `cache`, made when it is not there yet. `say` is told of each step. */
export async function benchTree(cache: string, say: (line: string) => void): Promise<BenchTree> {
  refuseRepository(cache)
  const folder = join(cache, "tree")
  const packages = SOURCES.map(label)
  const recipe = join(cache, "tree.json")
  if (!(await isMadeOf(recipe, packages))) {
    await rm(recipe, { force: true })
    await rm(folder, { recursive: true, force: true })
    await mkdir(cache, { recursive: true })
    for (const source of SOURCES) {
      say(`fetching ${label(source)}`)
      await unpack(source, cache, join(folder, source.name))
    }
    await writeFile(recipe, JSON.stringify(packages))
  }
  say("reading every file once")
  const tree = { folder, packages, ...(await measure(folder)) }
  if (tree.files !== EXPECTED.files || tree.bytes !== EXPECTED.bytes)
    throw new Error(
      `${folder} holds ${tree.files} files with ${tree.bytes} bytes, not ${EXPECTED.files} with ${EXPECTED.bytes}; ` +
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

async function isMadeOf(recipe: string, packages: readonly string[]): Promise<boolean> {
  return existsSync(recipe) && (await readFile(recipe, "utf8")) === JSON.stringify(packages)
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
async function measure(folder: string): Promise<Pick<BenchTree, "files" | "folders" | "bytes">> {
  const { files, folders } = await listFiles(folder)
  let bytes = 0
  for (const file of files) bytes += (await readFile(join(folder, file))).length
  return { files: files.length, folders: folders.length, bytes }
}

function output(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, shell: process.platform === "win32", encoding: "utf8" })
  if (done.error !== undefined) throw new Error(`${command} could not be started: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")} gave ${done.status}: ${done.stderr}`)
  return done.stdout.trim()
}

function label(source: Source): string {
  return `${source.name}@${source.version}`
}
