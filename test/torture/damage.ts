/*
 * Files of a store that are damaged at random, or replaced. What the damage did not touch is listed, and restored as it was;
 * captures go on; and of what it touched, nothing is given that is not what it is called.
 */
import { SnapshotError } from "../../src/core/errors.js"
import type { SnapshotStore } from "../../src/snapshot-store.js"
import { copyOf, GITDIR, type Memory } from "../support/store-on.js"
import { contentOf, memoryStore, openMemory, packsOfEach, storeFiles, type MemoryStore } from "./memory-store.js"
import type { Part, PartContext } from "./part.js"

export const damage: Part = {
  name: "damage",
  title: "damaged files of a store",
  share: 2,
  async run(context) {
    const { random, isOver, ran } = context
    while (!isOver()) {
      const start = await memoryStore(random, 3 + random(3))
      const packs = await packsOfEach(start)
      for (let runs = 0; runs < RUNS_A_STORE && !isOver(); runs++) ran(await oneRun(start, packs, context))
    }
  },
}

const RUNS_A_STORE = 60
const WAYS = [
  "emptied",
  "cut",
  "a bit flipped",
  "overwritten",
  "deleted",
  "replaced by a folder",
  "replaced by a link",
] as const
type Way = (typeof WAYS)[number]

async function oneRun(
  start: MemoryStore,
  packs: ReadonlyMap<string, ReadonlySet<string>>,
  { random, lose }: PartContext,
): Promise<Readonly<Record<string, number>>> {
  const memory = copyOf(start.memory)
  const files = storeFiles(memory)
  const path = files[random(files.length)] ?? ""
  const way = WAYS[random(WAYS.length)] ?? "emptied"
  spoil(memory, path, way, random)
  const told = (what: string): void => lose(`${path} ${way}: ${what}`)
  const untouched = start.snapshots.filter(({ id, ref }) => {
    const inPack = [...(packs.get(id) ?? [])].some((name) => path.includes(name))
    return !inPack && path !== `${GITDIR}/${ref}` && !path.endsWith("/packed-refs")
  })
  let store: SnapshotStore
  try {
    store = await openMemory(memory.fileSystem)
  } catch (error) {
    // What says which format the store has may be refused; nothing else.
    const isFormat = /\/(?:config|HEAD)$/.test(path) && error instanceof SnapshotError
    if (!isFormat) told(`cannot be opened: ${String(error)}`)
    return { "damaged files": 1, "stores refused for their configuration": 1 }
  }
  try {
    const listed = new Set((await store.list()).map(({ id }) => id))
    for (const { id } of untouched) if (!listed.has(id)) told(`${id} is not listed`)
    const { skipped } = await store.capture({ label: "after the damage" })
    if (skipped.length > 0) told(`the capture skipped ${JSON.stringify(skipped)}`)
    for (const { id, content } of untouched) {
      await store.restore(id)
      if (contentOf(memory) !== content) told(`${id} is not restored as it was`)
    }
  } catch (error) {
    told(`ended with ${String(error)}`)
  }
  for (const { id } of start.snapshots)
    if (!untouched.some((each) => each.id === id)) await readTouched(store, id, told)
  await store.close()
  return { "damaged files": 1, "untouched snapshots restored": untouched.length }
}

/** Of what was touched, the call fails with an error that says so, or gives what was there. */
async function readTouched(store: SnapshotStore, id: string, told: (what: string) => void): Promise<void> {
  try {
    const bytes = await store.readFile(id, "a.txt")
    const text = Buffer.from(bytes ?? []).toString()
    if (!/^\d$/.test(text)) told(`${id} gave ${JSON.stringify(text)}`)
  } catch (error) {
    if (!(error instanceof SnapshotError)) told(`${id} ended with ${String(error)}`)
  }
}

function spoil({ disk: { fs } }: Memory, path: string, way: Way, random: (limit: number) => number): void {
  const bytes = Buffer.from(fs.readFileSync(path))
  const put = (content: Uint8Array): void => {
    fs.chmodSync(path, 0o600)
    fs.writeFileSync(path, content)
  }
  const at = random(Math.max(1, bytes.length))
  if (way === "emptied") put(new Uint8Array())
  else if (way === "cut") put(bytes.subarray(0, at))
  else if (way === "a bit flipped") put(bytes.map((byte, i) => (i === at ? byte ^ (1 << random(8)) : byte)))
  else if (way === "overwritten") put(Buffer.from(Array.from({ length: bytes.length }, () => random(256))))
  else {
    fs.unlinkSync(path)
    if (way === "replaced by a folder") fs.mkdirSync(path)
    else if (way === "replaced by a link") fs.symlinkSync("nowhere", path)
  }
}
