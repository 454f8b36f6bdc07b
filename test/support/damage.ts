/*
 * Damage to the files of a store, and snapshots that nobody captured, on any file system.
 */
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import { deflateSync } from "node:zlib"
import { encodeCommit } from "../../src/core/commit.js"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import { parsePackIndex } from "../../src/core/pack-index.js"
import type { Workspace } from "../../src/core/ref-name.js"
import { refOf, snapshotCommit, type SnapshotRecord } from "../../src/core/snapshot-commit.js"
import { encodeTree, type TreeEntry } from "../../src/core/tree.js"
import type { ObjectType } from "../../src/core/object.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import type { StoreUnderTest } from "./store-under-test.js"

type Place = Pick<StoreUnderTest, "fs" | "gitdir">

/** The pack files of a store, as paths without extension, in the order of their making as far as times tell. */
export function packsOf({ fs, gitdir }: Place): string[] {
  const folder = join(gitdir, "objects/pack")
  return fs
    .readdirSync(folder)
    .map(String)
    .filter((name) => name.endsWith(".pack"))
    .map((name) => join(folder, name.slice(0, -".pack".length)))
}

/** Replaces what a file holds, whatever its permissions are. */
export function overwrite({ fs }: Place, path: string, change: (bytes: Buffer) => Uint8Array): void {
  fs.chmodSync(path, 0o600)
  fs.writeFileSync(path, change(Buffer.from(fs.readFileSync(path))))
}

/** The bytes with one bit of the byte at `position` turned over; from the end when it is negative. */
export function flipped(bytes: Uint8Array, position: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const at = position < 0 ? copy.length + position : position
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

/** Turns a bit in the middle of a packed object's entry; gives the pack's path, from the gitdir on. */
export async function damageEntry(place: Place, oid: string): Promise<string> {
  const { fs, gitdir } = place
  for (const pack of packsOf(place)) {
    const index = await parsePackIndex(nodeHasher(), new Uint8Array(fs.readFileSync(`${pack}.idx`) as Buffer), pack)
    const offset = index?.find(oid as Oid)
    if (index === undefined || offset === undefined) continue
    const end = index.nextOffset(offset) ?? Number(fs.statSync(`${pack}.pack`).size) - 20
    overwrite(place, `${pack}.pack`, (bytes) => flipped(bytes, (offset + end) >> 1))
    return `${pack}.pack`.slice(gitdir.length + 1)
  }
  throw new Error(`No pack holds ${oid}.`)
}

/** Writes an object as a loose one. */
export function writeLoose({ fs, gitdir }: Place, type: ObjectType, bytes: Uint8Array): Oid {
  const whole = Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])
  const oid = createHash("sha1").update(whole).digest("hex") as Oid
  const path = join(gitdir, "objects", oid.slice(0, 2), oid.slice(2))
  fs.mkdirSync(dirname(path), { recursive: true })
  fs.writeFileSync(path, deflateSync(whole))
  return oid
}

/** Writes a tree with these entries, as they are. */
export function writeTree(place: Place, entries: readonly TreeEntry[]): Oid {
  return writeLoose(place, "tree", encodeTree(entries))
}

/** Writes a snapshot of `tree` with its ref, as another program might; it has no manifest. */
export function writeSnapshot(place: Place, workspace: string, tree: Oid, change: Partial<SnapshotRecord> = {}): Oid {
  const record: SnapshotRecord = { ...recordOf(workspace), ...change }
  const id = writeLoose(place, "commit", encodeCommit(snapshotCommit(record, tree, undefined)))
  const path = join(place.gitdir, refOf(record))
  place.fs.mkdirSync(dirname(path), { recursive: true })
  place.fs.writeFileSync(path, `${id}\n`)
  return id
}

/** Writes two snapshots of the empty tree whose ids begin with the same `digits` hex digits. */
export function writeTwins(place: Place, workspace: string, digits: number): readonly [Oid, Oid] {
  const nonces = new Map<string, string>()
  for (let i = 0; ; i++) {
    const nonce = i.toString(16).padStart(16, "0")
    const bytes = encodeCommit(snapshotCommit({ ...recordOf(workspace), nonce }, EMPTY_TREE, undefined))
    const prefix = createHash("sha1").update(`commit ${bytes.length}\0`).update(bytes).digest("hex").slice(0, digits)
    const other = nonces.get(prefix)
    nonces.set(prefix, nonce)
    if (other === undefined) continue
    return [
      writeSnapshot(place, workspace, EMPTY_TREE, { nonce: other }),
      writeSnapshot(place, workspace, EMPTY_TREE, { nonce }),
    ]
  }
}

function recordOf(workspace: string): SnapshotRecord {
  const nonce = "0123456789abcdef"
  return {
    kind: "capture",
    workspace: workspace as Workspace,
    createdMs: 1_600_000_000_000,
    skipped: 0,
    metadata: {},
    nonce,
  }
}
