import { spawn, type ChildProcess } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import fs from "node:fs"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { EMPTY_TREE } from "../../../src/core/oid.js"
import { nodeDisk } from "../../support/disk.js"
import { folderContent } from "../../support/folder-content.js"
import { onDisk, type StoreUnderTest } from "../../support/store-under-test.js"
import { watchedFileSystem } from "../../support/watched-file-system.js"

describe("scenario 20: links to secrets, loops, and folders that are swapped for links", () => {
  test("links that lead out, in circles or nowhere come back as they are, and nothing behind them is touched", async () => {
    const place = await onDisk()
    const outside = secretsOutside(place)
    const before = outside()
    place.link("to-file", "../outside/secret")
    place.link("to-folder", "../outside")
    place.link("self", "self")
    place.link("one", "two")
    place.link("two", "one")
    place.link("up", "..")
    place.link("absolute", place.scratch)
    place.folder("folder")
    const store = await place.open()
    const { snapshot, skipped, stats } = await store.capture()
    expect({ skipped, read: stats.filesRead }).toEqual({ skipped: [], read: 0 })
    const then = place.content()
    for (const path of ["to-file", "to-folder", "self", "one", "two", "up", "absolute"]) place.remove(path)
    place.write("to-folder/secret", "mine")
    place.write("to-file", "mine")
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect(place.content()).toEqual(then)
    expect(outside()).toEqual(before)
  })

  test("a restore of files below a folder that is a link now replaces the link, and writes nothing through it", async () => {
    const place = await onDisk()
    const outside = secretsOutside(place)
    place.write("folder/secret", "inside")
    place.write("folder/deep/secret", "inside")
    const store = await place.open()
    const { snapshot } = await store.capture()
    place.remove("folder")
    place.link("folder", "../outside")
    const before = outside()
    expect((await store.restore(snapshot.id)).complete).toBe(true)
    expect(outside()).toEqual(before)
    expect([place.read("folder/secret"), place.read("folder/deep/secret")]).toEqual(["inside", "inside"])
  })

  test("a store in a work tree that is itself reached by a link works in the folder behind it", async () => {
    const place = await onDisk()
    fs.symlinkSync(place.root, join(place.scratch, "way"))
    place.write("a", "one")
    const store = await place.open({ worktree: join(place.scratch, "way") })
    expect(store.worktree).toBe(place.root)
    const { snapshot } = await store.capture()
    place.write("a", "two")
    await store.restore(snapshot.id)
    expect(place.read("a")).toBe("one")
  })

  test("a folder swapped for a link outside at any call of a capture lets nothing outside be read", async () => {
    let swapped = true
    for (let call = 1; swapped; call += 3) {
      const place = await onDisk()
      secretsOutside(place)
      for (const path of ["folder/secret", "folder/deep/secret", "other"]) place.write(path, "inside")
      swapped = false
      let calls = 0
      const store = await place.openOn((inner) =>
        watchedFileSystem(inner, () => {
          if (++calls !== call) return
          swapped = true
          swap(place)
        }),
      )
      const result = await store.capture().catch(() => undefined)
      if (result !== undefined) expect(await secretsIn(place, result.snapshot.id), `call ${call}`).toEqual([])
    }
  })

  test("a folder swapped for a link outside at any call of a restore lets nothing outside be written or deleted", async () => {
    let swapped = true
    for (let call = 1; swapped; call += 7) {
      const place = await onDisk({ durability: "process" })
      const outside = secretsOutside(place)
      for (const path of ["folder/secret", "folder/deep/secret", "folder/gone", "other"]) place.write(path, "inside")
      const { snapshot } = await (await place.open()).capture()
      for (const path of ["folder/secret", "folder/deep/secret", "folder/added", "other"]) place.write(path, "later")
      place.remove("folder/gone")
      const before = outside()
      swapped = false
      let calls = 0
      const store = await place.openOn((inner) =>
        watchedFileSystem(inner, () => {
          if (++calls !== call) return
          swapped = true
          swap(place)
        }),
      )
      await store.restore(snapshot.id).catch(() => {})
      expect(outside(), `call ${call}`).toEqual(before)
    }
  })

  test("while another process swaps a folder in a loop, captures and restores read, write and delete nothing outside", async () => {
    const place = await onDisk({ durability: "process" })
    const outside = secretsOutside(place)
    for (const path of ["folder/secret", "folder/deep/secret", "folder/added", "other"]) place.write(path, "inside")
    const store = await place.open()
    const first = await store.capture()
    place.write("folder/secret", "second")
    place.remove("folder/added")
    const second = await store.capture()
    const before = outside()
    const swapper = await startSwapper(place)
    const [captured, restored] = [new Set<string>(), { done: 0 }]
    for (let round = 0; round < 25; round++) {
      const capture = await store.capture({ label: `round ${round}` }).catch(() => undefined)
      if (capture !== undefined) captured.add(capture.snapshot.id)
      const { snapshot } = round % 2 === 0 ? first : second
      await store.restore(snapshot.id).then(
        () => restored.done++,
        () => {},
      )
    }
    await stop(swapper)
    expect(outside()).toEqual(before)
    for (const id of captured) expect(await secretsIn(place, id)).toEqual([])
    // The race was one: both went through now and then.
    expect(captured.size).toBeGreaterThan(0)
    expect(restored.done).toBeGreaterThan(0)
    for (const name of ["folder", "folder.real"])
      if (fs.lstatSync(join(place.root, name), { throwIfNoEntry: false })?.isSymbolicLink() === true) place.remove(name)
    await store.restore(first.snapshot.id)
    expect([place.read("folder/secret"), place.read("other")]).toEqual(["inside", "inside"])
  })
})

const SECRET = "outside, a secret"

/** A folder beside the work tree with files of the names that are used inside; gives a look at it, times included. */
function secretsOutside(place: StoreUnderTest): () => unknown {
  const outside = join(place.scratch, "outside")
  fs.mkdirSync(join(outside, "deep"), { recursive: true })
  for (const name of ["secret", "deep/secret", "added"]) fs.writeFileSync(join(outside, name), SECRET)
  return () => {
    const content = folderContent(nodeDisk, outside)
    const times = ["", ...Object.keys(content)].map((path) => {
      const { mtimeNs, ctimeNs } = fs.lstatSync(join(outside, path), { bigint: true })
      return `${path} ${mtimeNs} ${ctimeNs}`
    })
    return { content, times }
  }
}

function swap(place: StoreUnderTest): void {
  fs.renameSync(join(place.root, "folder"), join(place.root, "folder.real"))
  fs.symlinkSync("../outside", join(place.root, "folder"))
}

/** The paths of a snapshot that hold the secret. */
async function secretsIn(place: StoreUnderTest, id: string): Promise<string[]> {
  const oid = createHash("sha1").update(`blob ${SECRET.length}\0${SECRET}`).digest("hex")
  const files = await (await place.open()).changes(EMPTY_TREE, id)
  return files.filter(({ after }) => after?.oid === oid).map(({ path }) => path)
}

async function startSwapper(place: StoreUnderTest): Promise<ChildProcess> {
  const script = `
    const fs = require("node:fs")
    process.chdir(process.argv[1])
    const attempt = (step) => { try { step() } catch {} }
    process.on("message", () => process.exit())
    const turn = () => {
      for (let i = 0; i < 20; i++) {
        attempt(() => fs.renameSync("folder", "folder.real"))
        attempt(() => fs.symlinkSync("../outside", "folder"))
        attempt(() => fs.unlinkSync("folder"))
        attempt(() => fs.renameSync("folder.real", "folder"))
      }
      setImmediate(turn)
    }
    turn()
    process.send("started")`
  const child = spawn(process.execPath, ["--eval", script, place.root], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  await once(child, "message")
  return child
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit")
  child.send("stop")
  await ended
}
