/*
 * Real processes that kill themselves with SIGKILL at the n-th call of their file system while they restore, undo or
 * redo, hundreds of times, on one store that is never made anew. Whoever opens the store next finishes what was begun or
 * takes it back.
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

/** Counts the calls of node:fs from when the store is open, and ends at the one that it is told. Prints their number. */
const CHILD = `
import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
const [entry, worktree, gitdir, step, target, last, durability] = process.argv.slice(1)
let calls = 0
let counts = false
const meet = () => {
  if (counts && ++calls === Number(last)) process.kill(process.pid, "SIGKILL")
}
for (const api of [fs.promises, fs])
  for (const [name, call] of Object.entries(api))
    if (typeof call === "function" && /^(open|write|rename|unlink|link|mkdir|rmdir|symlink|chmod|fsync)(Sync)?$/.test(name))
      api[name] = (...args) => { meet(); return call(...args) }
syncBuiltinESMExports()
const { openStore } = await import(entry)
const store = await openStore({ worktree, gitdir, workspace: "killed", durability })
counts = true
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
  "of three hundred processes that are killed in a restore, an undo or a redo none leaves a work tree in between",
  { timeout: 300_000 },
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
    const step = (name: string, last: number, durability: string): Promise<number | undefined> =>
      run([ENTRY, place.worktree, place.gitdir, name, snapshot.id, String(last), durability])
    const lengths = new Map<string, number>()
    for (const name of ["restore", "undo", "redo"]) lengths.set(name, (await step(name, 0, "process")) ?? 0)
    await step("undo", 0, "process")
    expect(folderContent(nodeDisk, place.worktree)).toEqual(before)
    const ends = { before: 0, after: 0, recovered: 0 }
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
      const from = folderContent(nodeDisk, place.worktree)
      const length = lengths.get(name) ?? 0
      const last = 1 + Math.floor((kill * length) / KILLS)
      // With durability "power" there are syncs, and kills before the end.
      expect(
        await step(name, last, kill % 5 === 0 ? "power" : "process"),
        `${name} at ${last} of ${length} calls`,
      ).toBeUndefined()
      store = await open()
      const content = folderContent(nodeDisk, place.worktree)
      const isBefore = same(content, from)
      if (store.recovered !== undefined) ends.recovered++
      if (isBefore) ends.before++
      else {
        ends.after++
        await (name === "undo" ? store.redo() : store.undo())
        expect(folderContent(nodeDisk, place.worktree), `${name} at ${last}, taken back`).toEqual(from)
      }
      if (name === "undo") await store.undo()
      await store.close()
      expect(folderContent(nodeDisk, place.worktree), `${name} at ${last}`).toEqual(before)
    }
    expect(ends.before).toBeGreaterThan(KILLS / 10)
    expect(ends.after).toBeGreaterThan(KILLS / 20)
    expect(ends.recovered).toBeGreaterThan(KILLS / 10)
    const platform = await nodePlatform()
    expect(await brokenRefs(platform, platform.fileSystem, place.gitdir)).toEqual([])
  },
)

const KILLS = 300

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
