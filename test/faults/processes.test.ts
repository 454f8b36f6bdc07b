/*
 * Real processes, killed with SIGKILL while they capture, restore and maintain. A child tells of each event by one byte, and the
 * parent kills it when it has told so many: no clock decides when. Several children share a store.
 */
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { expect, test } from "vitest"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { openStore } from "../../src/open-store.js"
import { seeded } from "../support/interleave.js"
import { brokenRefs, treeFiles } from "../support/store-on.js"
import { git, gitIsThere } from "../support/git.js"
import { temporaryFolder } from "../support/temporary-folder.js"

/** Forty processes: on a busy machine they take a while. */
const LONG = { timeout: 300_000 }

const ENTRY = pathToFileURL(fileURLToPath(new URL("../../dist/index.js", import.meta.url))).href

/**
 * Writes its files, captures, writes them anew, restores the capture, and so on until it is killed. What it has written
 * last stands in `expected`, outside of the work tree, before a restore begins.
 */
const CHILD = `
import fs from "node:fs"
const [entry, worktree, gitdir, workspace, durability, expected] = process.argv.slice(1)
const { openStore } = await import(entry)
const store = await openStore({ worktree, gitdir, workspace, durability })
const tell = () => fs.writeSync(1, ".")
const write = (text) => {
  for (let i = 0; i < 12; i++) {
    fs.mkdirSync(worktree + "/dir" + (i % 3), { recursive: true })
    fs.writeFileSync(worktree + "/dir" + (i % 3) + "/file" + i + ".txt", text.repeat(1 + i * 40))
  }
  fs.writeFileSync(worktree + "/only-" + text, text)
}
for (let round = 0; ; round++) {
  const name = process.pid + "-" + round
  fs.writeFileSync(expected, "")
  write(name + "a")
  tell()
  const { snapshot } = await store.capture({ onProgress: tell })
  tell()
  write(name + "b")
  fs.writeFileSync(expected, name + "b")
  tell()
  const report = await store.restore(snapshot.id, { onProgress: tell })
  if (!report.complete) throw new Error(JSON.stringify(report))
  tell()
}
`

/** Lets the snapshots of both work trees go but for the newest ones, and collects, until it is killed. */
const CLEANER = `
import fs from "node:fs"
const [entry, gitdir, ...places] = process.argv.slice(1)
const { openStore } = await import(entry)
const tell = () => fs.writeSync(1, ".")
const stores = []
for (let at = 0; at < places.length; at += 2)
  stores.push(await openStore({ worktree: places[at], gitdir, workspace: places[at + 1] }))
for (;;)
  for (const store of stores) {
    await store.prune({ keepLast: 2 })
    tell()
    await store.maintain({ onProgress: tell })
  }
`

test(
  "processes killed while they capture, restore and maintain leave every snapshot whole, lose nothing, and bar nobody",
  LONG,
  async () => {
    const folder = await temporaryFolder()
    const gitdir = join(folder, "store.git")
    const random = seeded(1)
    const problems: string[] = []
    for (let round = 0; round < KILLS / CHILDREN; round++) {
      const children = Array.from({ length: CHILDREN }, (_, i) => killed(folder, gitdir, i, 1 + random(240)))
      // Maintenance in a thread tells of itself every now and then only.
      children.push(killedCleaner(folder, gitdir, 1 + random(12)))
      problems.push(...(await Promise.all(children)).flat())
      for (let i = 0; i < CHILDREN; i++) problems.push(...(await lost(folder, gitdir, i)))
      problems.push(...(await brokenRefs(await platform, (await platform).fileSystem, gitdir)))
      if (problems.length > 0) break
    }
    expect(problems).toEqual([])
    for (let i = 0; i < CHILDREN; i++) {
      const store = await openStore({ ...placeOf(folder, gitdir, i) })
      const { snapshot, skipped } = await store.capture({ label: "in the end" })
      // What a killed restore leaves is named, and nothing else is left out.
      expect(skipped.filter(({ path }) => !path.includes(".treeshot-"))).toEqual([])
      expect((await store.restore(snapshot.id)).complete).toBe(true)
      await store.close()
    }
    const store = await openStore(placeOf(folder, gitdir, 0))
    await store.prune({ keepLast: 1 })
    await store.maintain()
    await store.close()
    expect(readdirSync(join(gitdir, "leases"))).toEqual([])
    expect(readdirSync(join(gitdir, "locks"))).toEqual([])
    if (gitIsThere()) git(["--git-dir", gitdir, "fsck", "--strict", "--no-dangling"])
  },
)

const KILLS = 40
const CHILDREN = 2
const platform = nodePlatform()

function placeOf(
  folder: string,
  gitdir: string,
  child: number,
): { worktree: string; gitdir: string; workspace: string } {
  return { worktree: join(folder, `project${child}`), gitdir, workspace: `project-${child}` }
}

/** Runs a child until it has told so many events. Gives what it had to complain of. */
async function killed(folder: string, gitdir: string, number: number, events: number): Promise<string[]> {
  const { worktree, workspace } = placeOf(folder, gitdir, number)
  await mkdir(worktree, { recursive: true })
  const durability = number % 2 === 0 ? "power" : "process"
  const args = [worktree, gitdir, workspace, durability, join(folder, `expected${number}`)]
  return killedScript(CHILD, args, events, `child ${number}`)
}

async function killedCleaner(folder: string, gitdir: string, events: number): Promise<string[]> {
  const places = Array.from({ length: CHILDREN }, (_, number) => placeOf(folder, gitdir, number))
  for (const { worktree } of places) await mkdir(worktree, { recursive: true })
  const args = [gitdir, ...places.flatMap(({ worktree, workspace }) => [worktree, workspace])]
  return killedScript(CLEANER, args, events, "the cleaner")
}

async function killedScript(script: string, args: readonly string[], events: number, name: string): Promise<string[]> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, ENTRY, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  let told = 0
  let complaints = ""
  child.stderr.on("data", (bytes: Buffer) => (complaints += bytes.toString()))
  child.stdout.on("data", (bytes: Buffer) => {
    told += bytes.length
    if (told >= events) child.kill("SIGKILL")
  })
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_code, by) => resolve(by)))
  return signal === "SIGKILL" ? [] : [`${name} ended by itself after ${told} events: ${complaints}`]
}

/** What the work tree held when a restore began is still there, or in a snapshot. */
async function lost(folder: string, gitdir: string, number: number): Promise<string[]> {
  const text = readFileSync(join(folder, `expected${number}`), "utf8")
  if (text === "") return []
  const place = placeOf(folder, gitdir, number)
  const { fileSystem, hasher } = await platform
  const store = await openStore(place)
  const saved = new Set<string>()
  for (const { tree } of await store.list({ kind: "safety", limit: 2 }))
    for (const [path, entry] of await treeFiles(fileSystem, tree, gitdir)) saved.add(`${path} ${entry}`)
  await store.close()
  const paths = Array.from({ length: 12 }, (_, i): [string, string] => [
    `dir${i % 3}/file${i}.txt`,
    text.repeat(1 + i * 40),
  ])
  const problems: string[] = []
  for (const [path, content] of [...paths, [`only-${text}`, text] as const]) {
    const bytes = Buffer.from(content)
    const digest = await hasher.sha1([Buffer.from(`blob ${bytes.length}\0`), bytes])
    const oid = Buffer.from(digest).toString("hex")
    const there = await fileSystem.readFile(join(place.worktree, path))
    if (!saved.has(`${path} 100644 ${oid}`) && (there === undefined || !bytes.equals(there)))
      problems.push(`${path} of child ${number} is lost`)
  }
  return problems
}
