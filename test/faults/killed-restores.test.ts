/*
 * Real processes that kill themselves with SIGKILL at the n-th call of their file system while they restore, undo or
 * redo, two hundred of them, on one store that is never made anew. Whoever opens the store next finishes what was begun
 * or takes it back.
 */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { expect, test } from "vitest"
import { openStore, type SnapshotStore } from "../../src/index.js"
import { nodePlatform } from "../../src/platform/node/node-platform.js"
import { fileOf, folderOf, linkOf } from "../support/described-folder.js"
import { nodeDisk, updateFolder, writeFolder } from "../support/disk.js"
import { folderContent } from "../support/folder-content.js"
import { brokenRefs } from "../support/store-on.js"
import { temporaryFolder } from "../support/temporary-folder.js"

const ENTRY = pathToFileURL(fileURLToPath(new URL("../../dist/index.js", import.meta.url))).href

/**
 * Counts the calls of node:fs that change something, from when the store is open or from when the journal is in place, and
 * ends at the one that it is told. Prints their number.
 */
const CHILD = `
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
const [entry, worktree, gitdir, step, target, from, last, durability] = process.argv.slice(1)
let calls = 0
let counts = false
const meet = (name, to) => {
  if (from === "journal" && name.startsWith("rename") && String(to).endsWith("/running")) counts = true
  if (counts && ++calls === Number(last)) process.kill(process.pid, "SIGKILL")
}
for (const api of [fs.promises, fs])
  for (const [name, call] of Object.entries(api))
    if (typeof call === "function" && /^(open|write|rename|unlink|link|mkdir|rmdir|symlink|chmod|fsync)(Sync)?$/.test(name))
      api[name] = (...args) => { meet(name, args[1]); return call(...args) }
syncBuiltinESMExports()
const { openStore } = await import(entry)
const store = await openStore({ worktree, gitdir, workspace: "killed", durability })
counts = from === "start"
await (step === "restore" ? store.restore(target) : store[step]())
counts = false
fs.writeSync(1, String(calls))
await store.close()
`

const many = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`file${i}.txt`, `then ${i}`]))
const THEN = folderOf({
  many,
  "private.txt": fileOf("then", 0o600),
  link: linkOf("private.txt"),
  swap: { "a.txt": "a" },
  gone: { deep: { "b.txt": "b" } },
})
const NOW = folderOf({
  many: Object.fromEntries(Object.keys(many).map((name) => [name, `now ${name}`])),
  "private.txt": fileOf("now", 0o644),
  link: linkOf("many"),
  swap: "a file",
  "added.txt": "added",
})

test(
  "of two hundred processes that are killed in a restore, an undo or a redo none leaves a work tree in between",
  { timeout: 600_000 },
  async () => {
    const root = await temporaryFolder()
    const place = { worktree: join(root, "project"), gitdir: join(root, "store.git") }
    const open = (): Promise<SnapshotStore> => openStore({ ...place, workspace: "killed", durability: "process" })
    writeFolder(nodeDisk, place.worktree, THEN)
    let store = await open()
    const { snapshot } = await store.capture()
    await store.close()
    updateFolder(nodeDisk, place.worktree, THEN, NOW)
    const before = folderContent(nodeDisk, place.worktree)
    const step = (name: string, ...rest: readonly [from: string, last: number, durability: string]) =>
      run([ENTRY, place.worktree, place.gitdir, name, snapshot.id, ...rest.map(String)])
    const lengths = new Map<string, number>()
    for (const from of ["start", "journal"]) {
      for (const name of ["restore", "undo", "redo"])
        lengths.set(name + from, (await step(name, from, 0, "process")) ?? 0)
      await step("undo", from, 0, "process")
    }
    expect(folderContent(nodeDisk, place.worktree)).toEqual(before)
    const ends = { killed: 0, before: 0, after: 0, recovered: 0 }
    for (let kill = 0; kill < KILLS; kill++) {
      // Every third one begins from the other side: undo goes there, redo comes from there.
      const name = kill % 3 === 0 ? "restore" : kill % 3 === 1 ? "undo" : "redo"
      store = await open()
      if (name === "undo") await store.restore(snapshot.id)
      if (name === "redo") {
        await store.restore(snapshot.id)
        await store.undo()
      }
      await store.close()
      const begun = folderContent(nodeDisk, place.worktree)
      const start = kill % 4 === 0 ? "start" : "journal"
      const length = lengths.get(name + start) ?? 0
      const last = 1 + Math.floor((kill * length) / KILLS)
      const where = `${name} at ${last} of ${length} calls from the ${start}`
      // With durability "power" there are syncs, and kills before the end.
      const isKilled = (await step(name, start, last, kill % 5 === 0 ? "power" : "process")) === undefined
      // How many calls the calling thread makes, and how many the other one, is never twice the same.
      if (isKilled) ends.killed++
      store = await open()
      const content = folderContent(nodeDisk, place.worktree)
      const isBefore = same(content, begun)
      if (store.recovered !== undefined) ends.recovered++
      if (isBefore) ends.before++
      else {
        ends.after++
        await (name === "undo" ? store.redo() : store.undo())
        expect(folderContent(nodeDisk, place.worktree), `${where}, taken back`).toEqual(begun)
      }
      if (name === "undo") await store.undo()
      await store.close()
      expect(folderContent(nodeDisk, place.worktree), where).toEqual(before)
    }
    expect(ends.killed).toBeGreaterThan(KILLS / 2)
    expect(ends.before).toBeGreaterThan(KILLS / 10)
    expect(ends.after).toBeGreaterThan(KILLS / 20)
    expect(ends.recovered).toBeGreaterThan(KILLS / 10)
    const platform = await nodePlatform()
    expect(await brokenRefs(platform, platform.fileSystem, place.gitdir)).toEqual([])
  },
)

const KILLS = 200

function same(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** The number that a child printed; undefined when it was killed. */
async function run(args: readonly string[]): Promise<number | undefined> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", CHILD, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  let text = ""
  child.stdout.on("data", (bytes: Buffer) => (text += bytes.toString()))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on("close", (...end) => resolve(end)),
  )
  if (signal === "SIGKILL") return undefined
  expect(code).toBe(0)
  return Number(text)
}
