/*
 * Compares a cold capture of a real folder: this library, native git, isomorphic-git alone, and the floor of reading
 * and hashing. `npm run bench -- --help` says how to call it; docs/PERFORMANCE.md says what came out.
 */
import { spawnSync } from "node:child_process"
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import envPaths from "env-paths"
import type { Measured } from "./contender.js"
import { medianOf, table, type Row } from "./table.js"
import { benchTree, type BenchTree } from "./tree.js"

const CONTENDERS = [
  "treeshot-power",
  "native-git",
  "isomorphic-git",
  "treeshot-process",
  "treeshot-native",
  "floor",
] as const
const OURS = "treeshot-power"
const NATIVE = "native-git"
const GOAL = 0.6
const HELP = `npm run bench -- [--rounds <number, 3>] [--only <contender,contender>] [--cache <folder>] [--no-result]
contenders: ${CONTENDERS.join(", ")}
`

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: CONTENDERS.join(",") },
    cache: { type: "string", default: envPaths("treeshot-bench", { suffix: "" }).cache },
    "no-result": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
})
if (values.help) process.stdout.write(HELP)
else await main()

async function main(): Promise<void> {
  const rounds = Number(values.rounds)
  const names = CONTENDERS.filter((name) => values.only.split(",").includes(name))
  if (!Number.isInteger(rounds) || rounds < 1 || names.length === 0) throw new Error(HELP)
  await mkdir(values.cache, { recursive: true })
  const [load = 0] = loadavg()
  if (load > 0.5) say(`the machine is busy (load average ${load.toFixed(1)}): the figures will vary`)
  const tree = await benchTree(await realpath(values.cache), say)
  const rows = await measureAll(tree.folder, names, rounds)
  const oid = agreedTree(rows)
  process.stdout.write(`${summary(tree)}\n\n${table(rows, NATIVE)}\n\n${goalLine(rows)}`)
  if (!values["no-result"]) await writeResult(tree, oid, rows, load)
}

/** Every contender once a round, so that a slow minute of the machine meets them all. */
async function measureAll(tree: string, names: readonly string[], rounds: number): Promise<Row[]> {
  const runs = new Map<string, Measured[]>(names.map((name) => [name, []]))
  for (let round = 1; round <= rounds; round++)
    for (const name of names) {
      const measured = await measureOne(name, tree)
      const again = measured.againMs === undefined ? "" : `, again ${measured.againMs.toFixed(0)} ms`
      say(`round ${round} of ${rounds}: ${name} ${measured.coldMs.toFixed(0)} ms${again}`)
      runs.get(name)?.push(measured)
    }
  return names.map((name) => ({ name, runs: runs.get(name) ?? [] }))
}

async function measureOne(name: string, tree: string): Promise<Measured> {
  const scratch = await realpath(await mkdtemp(join(tmpdir(), "treeshot-bench-")))
  try {
    const program = fileURLToPath(new URL("run-contender.js", import.meta.url))
    const args = [program, name, tree, scratch]
    const done = spawnSync(process.execPath, args, {
      env: isolated(scratch),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    })
    if (done.status !== 0) throw new Error(`${name} ended with status ${done.status}`)
    return JSON.parse(done.stdout) as Measured
  } finally {
    await rm(scratch, { recursive: true, force: true })
    // What one contender left to be written must not slow the next one down.
    if (process.platform !== "win32") spawnSync("sync")
  }
}

/** No configuration and no ignore rules of the machine or its user count. */
function isolated(scratch: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_") && !name.startsWith("XDG_"))
  const nowhere = join(scratch, "home")
  return {
    ...Object.fromEntries(kept),
    HOME: nowhere,
    USERPROFILE: nowhere,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: join(nowhere, ".gitconfig"),
    GIT_OPTIONAL_LOCKS: "0",
  }
}

/** The oid that every run gave; runs that differ make the figures worthless. */
function agreedTree(rows: readonly Row[]): string | undefined {
  const trees = rows.flatMap((row) => row.runs.map((run) => ({ name: row.name, tree: run.tree })))
  const made = trees.filter((run) => run.tree !== undefined)
  const other = made.find((run) => run.tree !== made[0]?.tree)
  if (other !== undefined)
    throw new Error(`${other.name} gave the tree ${other.tree}, where ${made[0]?.name} gave ${made[0]?.tree}`)
  return made[0]?.tree
}

function summary(tree: BenchTree): string {
  const machine = `Node ${process.version}, ${gitVersion()}, ${availableParallelism()} x ${cpus()[0]?.model ?? "?"}`
  return `${tree.files} files in ${tree.folders} folders, ${(tree.bytes / 1e6).toFixed(0)} MB\n${machine}`
}

function goal(
  rows: readonly Row[],
): { readonly ratio: number; readonly limit: number; readonly met: boolean } | undefined {
  const [ours, native] = [OURS, NATIVE].map((name) => rows.find((row) => row.name === name))
  const [own, other] = [ours, native].map((row) => (row === undefined ? undefined : medianOf(row, "coldMs")))
  if (own === undefined || other === undefined) return undefined
  return { ratio: own / other, limit: GOAL, met: own / other <= GOAL }
}

function goalLine(rows: readonly Row[]): string {
  const reached = goal(rows)
  if (reached === undefined) return ""
  return `goal: a cold capture in at most ${GOAL} of native git's time: ${reached.ratio.toFixed(2)}, ${reached.met ? "met" : "MISSED"}\n`
}

async function writeResult(
  tree: BenchTree,
  oid: string | undefined,
  rows: readonly Row[],
  load: number,
): Promise<void> {
  const result = {
    measuredAt: new Date().toISOString(),
    machine: {
      node: process.version,
      git: gitVersion(),
      platform: process.platform,
      cpus: availableParallelism(),
      cpu: cpus()[0]?.model,
      loadAverage: load,
    },
    tree: { files: tree.files, folders: tree.folders, bytes: tree.bytes, oid, packages: tree.packages },
    goal: goal(rows),
    contenders: rows.map((row) => ({
      name: row.name,
      medians: {
        coldMs: medianOf(row, "coldMs"),
        againMs: medianOf(row, "againMs"),
        peakRssBytes: medianOf(row, "peakRssBytes"),
      },
      rounds: row.runs.map(({ coldMs, againMs, peakRssBytes }) => ({ coldMs, againMs, peakRssBytes })),
    })),
  }
  const file = join(process.cwd(), "bench", "results", "latest.json")
  await mkdir(join(file, ".."), { recursive: true })
  await writeFile(
    file,
    `${JSON.stringify(result, (_, value: unknown) => (typeof value === "number" ? round(value) : value), 2)}\n`,
  )
}

function round(value: number): number {
  return Number(value.toFixed(value < 10 ? 3 : 1))
}

function gitVersion(): string {
  const done = spawnSync("git", ["--version"], { encoding: "utf8" })
  return done.status === 0 ? done.stdout.trim().replace("git version", "git") : "no git"
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
