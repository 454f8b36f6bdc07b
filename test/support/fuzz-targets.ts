/*
 * Everything that makes sense of bytes which other hands may have written, as targets for random bytes: each gives a
 * value, undefined, or a SnapshotError, and takes little memory for it, whatever the bytes are.
 */
import fc from "fast-check"
import { concat, lossyText, utf8 } from "../../src/core/bytes.js"
import { decodeCommit, encodeCommit } from "../../src/core/commit.js"
import { applyDelta, deltaSizes } from "../../src/core/delta.js"
import { SnapshotError } from "../../src/core/errors.js"
import { ewahAt, setBits } from "../../src/core/ewah.js"
import type { FileSystem } from "../../src/core/file-system.js"
import { readGitConfig } from "../../src/core/git-config.js"
import { joinSharedIndex, readGitIndex } from "../../src/core/git-index.js"
import { inflateStart } from "../../src/core/inflate-start.js"
import { decodeManifest, encodeManifest, PLAIN_MANIFEST } from "../../src/core/manifest.js"
import { joinLoose, looseHeader, splitLoose } from "../../src/core/object.js"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import { decodeEntryHeader, decodePackHeader, encodeEntryHeader, encodePackHeader } from "../../src/core/pack.js"
import { encodePackIndex, parsePackIndex } from "../../src/core/pack-index.js"
import type { RefName, Workspace } from "../../src/core/ref-name.js"
import { decodeRecord as decodeSnapshot, snapshotCommit } from "../../src/core/snapshot-commit.js"
import { tagTarget } from "../../src/core/tag.js"
import { decodeTree, encodeTree, unlikeEntries } from "../../src/core/tree.js"
import { nodeDeflater } from "../../src/platform/node/node-deflater.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { listAlternates } from "../../src/store/alternates.js"
import { auditPack } from "../../src/store/audit-pack.js"
import { readLeases } from "../../src/store/live-leases.js"
import { takeLock } from "../../src/store/lock.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { PackRemains } from "../../src/store/pack-remains.js"
import { parsePackedRefs, soundLines, withoutRefs } from "../../src/store/packed-refs.js"
import { refStore } from "../../src/store/refs.js"
import { readRefRoots } from "../../src/store/roots.js"
import { decodeRecord, encodeRecord } from "../../src/tree/journal.js"
import { decodeKnown, encodeKnown } from "../../src/tree/known-file.js"
import { ignorePatterns } from "../../src/tree/ignore-pattern.js"
import { StatTableWriter } from "../../src/tree/stat-table.js"
import { craftPack, encodeDelta } from "./crafted-pack.js"
import { newMemory } from "./store-on.js"

/** Something that reads bytes. */
export interface FuzzTarget {
  readonly name: string
  /** Bytes as they should be, to be changed a little. */
  seeds(): Promise<readonly Uint8Array[]>
  /** Reads them, all of them. */
  read(bytes: Uint8Array): unknown
  /** Makes checksums right again, so that what is behind them is met, too. */
  seal?(bytes: Uint8Array): Promise<Uint8Array>
}

/** A way to change bytes. */
interface Edit {
  readonly at: number
  readonly how: "bit" | "byte" | "number" | "remove" | "repeat" | "cut"
  readonly value: number
}

/** Bytes for a target: any, or some as they should be with a few changes. */
export async function fuzzInputs(target: FuzzTarget): Promise<fc.Arbitrary<Uint8Array>> {
  const seeds = await target.seeds()
  const edit = fc.record<Edit>({
    at: fc.nat(),
    how: fc.constantFrom("bit", "byte", "number", "remove", "repeat", "cut"),
    value: fc.oneof(fc.nat(255), fc.nat(0xffffffff), fc.constantFrom(0x7fffffff, 0x80000000, 0xffffffff)),
  })
  const changed = fc
    .record({ seed: fc.constantFrom(...seeds), edits: fc.array(edit, { maxLength: 6 }) })
    .map(({ seed, edits }) => edits.reduce(edited, seed))
  return fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }) }, { weight: 4, arbitrary: changed })
}

function edited(bytes: Uint8Array, { at, how, value }: Edit): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(value & 255)
  const place = at % bytes.length
  const copy = Uint8Array.from(bytes)
  if (how === "cut") return copy.subarray(0, place)
  if (how === "remove") return concat([copy.subarray(0, place), copy.subarray(place + 1 + (value % 20))])
  if (how === "repeat")
    return concat([copy.subarray(0, place), copy.subarray(place - (value % 64) - 1), copy.subarray(place)])
  if (how === "bit") copy[place] = (copy[place] as number) ^ (1 << (value % 8))
  else if (how === "byte") copy[place] = value & 255
  else if (place + 4 <= copy.length) new DataView(copy.buffer).setUint32(place, value)
  return copy
}

/** What is wrong with what a target makes of bytes; undefined when nothing is. */
export async function fuzz(target: FuzzTarget, bytes: Uint8Array): Promise<string | undefined> {
  for (const input of target.seal === undefined ? [bytes] : [bytes, await target.seal(bytes)]) {
    const before = process.memoryUsage()
    try {
      await target.read(input)
    } catch (error) {
      if (!(error instanceof SnapshotError))
        return error instanceof Error ? (error.stack ?? String(error)) : String(error)
    }
    const after = process.memoryUsage()
    const taken = Math.max(after.arrayBuffers - before.arrayBuffers, after.heapUsed - before.heapUsed)
    if (taken > MOST_BYTES) return `it took ${taken} bytes of memory for ${input.length}`
  }
  return undefined
}

const MOST_BYTES = 64 << 20

const hasher = nodeHasher()
const deflater = nodeDeflater()
const ONE = "1".repeat(40) as Oid
const TWO = "2".repeat(40) as Oid

/** Ends in the SHA-1 of all that stands before. */
async function sealed(bytes: Uint8Array): Promise<Uint8Array> {
  const end = Math.max(0, bytes.length - 20)
  return concat([bytes.subarray(0, end), await hasher.sha1([bytes.subarray(0, end)])])
}

/** Begins with the SHA-1 of all that follows, in hex. */
async function sealedRecord(bytes: Uint8Array): Promise<Uint8Array> {
  const body = bytes.subarray(41)
  return concat([utf8(`${Buffer.from(await hasher.sha1([body])).toString("hex")}\n`), body])
}

/** A file system with one file. */
function withFile(path: string, bytes: Uint8Array): FileSystem {
  const { disk, fileSystem } = newMemory()
  for (const folder of [path.slice(0, path.lastIndexOf("/")), "/store/tmp", "/store/objects/pack", "/store/refs"])
    disk.fs.mkdirSync(folder, { recursive: true })
  disk.fs.writeFileSync(path, bytes)
  return fileSystem
}

async function packSeeds(): Promise<{ readonly pack: Uint8Array; readonly index: Uint8Array }> {
  const base = utf8("the base of a delta ".repeat(20))
  const delta = encodeDelta(base.length, 30, [{ copy: [0, 20] }, { insert: utf8("0123456789") }])
  const commit = utf8(`tree ${ONE}\nauthor a <b> 1 +0000\ncommitter a <b> 1 +0000\n\nmessage\n`)
  return craftPack([
    { oid: ONE, header: { type: "blob", sizeBytes: base.length }, content: base },
    { oid: TWO, header: { type: "ref-delta", sizeBytes: delta.length, base: ONE }, content: delta },
    { oid: "3".repeat(40) as Oid, header: { type: "commit", sizeBytes: commit.length }, content: commit },
  ])
}

const RECORD = {
  version: 1,
  names: "0123",
  root: { device: "1", inode: "2" },
  target: { to: "latest" },
  tree: ONE,
  safety: { ref: "refs/snapshots/w/x", id: ONE, tree: TWO },
  writes: [{ path: "a", after: { mode: "100644", oid: ONE } }],
  deletes: [{ path: "b", before: { mode: "100644", oid: TWO } }],
  keeps: [{ path: "c", reason: "ignored" }],
  merged: {},
} as const

async function knownSeed(): Promise<Uint8Array> {
  const writer = new StatTableWriter()
  const stat = { marks: 1, permissions: 0o644, sizeBytes: 3, mtimeNs: 1n, ctimeNs: 2n, inode: 3n, oid: ONE }
  const root = writer.add({ ...stat, kind: 1, name: "" })
  for (const name of ["a", "b"]) writer.add({ ...stat, kind: 0, name })
  writer.close(root)
  const known = {
    tree: ONE,
    manifest: PLAIN_MANIFEST,
    rulesDigest: "x",
    rulesStamp: "y",
    files: 2,
    seen: writer.finish(),
  }
  return encodeKnown(hasher, known as never, "key")
}

/** An index of version 2 with two entries, and what Git puts behind them. */
async function gitIndexSeed(version: number): Promise<Uint8Array> {
  const head = new Uint8Array(12)
  head.set(utf8("DIRC"))
  new DataView(head.buffer).setUint32(4, version)
  new DataView(head.buffer).setUint32(8, 2)
  const entries = ["a", "dir/b"].map((path) => {
    const bytes = new Uint8Array(version === 4 ? 62 + 2 + path.length : (62 + path.length + 8) & ~7)
    bytes.fill(7, 40, 60)
    bytes[61] = path.length
    if (version === 4) bytes[62] = path === "a" ? 0 : 1
    bytes.set(utf8(path), version === 4 ? 63 : 62)
    return bytes
  })
  const tree = utf8("\0-1 1\ndir\x002 0\n01234567890123456789")
  const link = new Uint8Array(20 + 24).fill(3, 0, 20)
  const extension = (name: string, content: Uint8Array): Uint8Array => {
    const size = new Uint8Array(4)
    new DataView(size.buffer).setUint32(0, content.length)
    return concat([utf8(name), size, content])
  }
  return sealed(concat([head, ...entries, extension("TREE", tree), extension("link", link), new Uint8Array(20)]))
}

const SNAPSHOT = {
  kind: "capture",
  workspace: "w" as Workspace,
  createdMs: 1_700_000_000_000,
  skipped: 0,
  label: "a label",
  metadata: { key: "value" },
  nonce: "0123456789abcdef",
} as const

const TREE = encodeTree([
  { mode: "100644", name: "file", oid: ONE },
  { mode: "40000", name: "folder", oid: TWO },
  { mode: "120000", name: "ünïcode", oid: ONE },
])

const LEASE = { id: "a".repeat(32), createdMs: 1, owner: { pid: 1 }, base: { ref: "refs/snapshots/w/x", oid: ONE } }
const PACKED = `# pack-refs with: peeled fully-peeled sorted \n${ONE} refs/tags/a\n^${TWO}\n${TWO} refs/snapshots/w/x\n`

/** All of them. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  {
    name: "the header of a pack entry",
    seeds: async () => [
      encodeEntryHeader({ type: "blob", sizeBytes: 2 ** 40 }),
      encodeEntryHeader({ type: "offset-delta", sizeBytes: 300, distance: 2 ** 31 }),
      encodeEntryHeader({ type: "ref-delta", sizeBytes: 300, base: ONE }),
      encodePackHeader(3),
    ],
    read: (bytes) => [decodeEntryHeader(bytes), decodePackHeader(bytes)],
  },
  {
    name: "a pack index",
    seeds: async () => [(await packSeeds()).index, await encodePackIndex(hasher, [], new Uint8Array(20))],
    seal: sealed,
    async read(bytes) {
      const index = await parsePackIndex(hasher, bytes, "index")
      if (index === undefined) return
      for (const { oid, offset } of index.entries()) {
        index.find(oid)
        index.nextOffset(offset)
      }
      index.withPrefix("1")
      index.rowOf(new Uint8Array(20), 0)
      await index.inOrder(1000)
    },
  },
  {
    name: "a delta",
    seeds: async () => [
      encodeDelta(1000, 70, [{ copy: [10, 60] }, { insert: utf8("0123456789") }]),
      encodeDelta(1000, 2000, [{ copy: [0, 1000] }, { copy: [0, 1000] }]),
    ],
    read: (bytes) => [deltaSizes(bytes), applyDelta(new Uint8Array(1000), bytes)],
  },
  {
    name: "the beginning of a zlib stream",
    seeds: async () => [
      await deflater.deflate(utf8("some content ".repeat(30))),
      await deflater.deflate(new Uint8Array()),
    ],
    read: (bytes) => inflateStart(bytes, 0, 64),
  },
  {
    name: "a tree",
    seeds: async () => [TREE],
    read: (bytes) => [decodeTree(bytes, ONE), unlikeEntries({ oid: ONE, bytes }, { oid: TWO, bytes: TREE })],
  },
  {
    name: "a commit, and the snapshot in it",
    seeds: async () => [encodeCommit(snapshotCommit(SNAPSHOT, EMPTY_TREE, ONE))],
    read: (bytes) => decodeSnapshot(decodeCommit(bytes, ONE).message),
  },
  {
    name: "a tag",
    seeds: async () => [utf8(`object ${ONE}\ntype commit\ntag v1\ntagger a <b> 1 +0000\n\ntext\n`)],
    read: (bytes) => tagTarget(bytes, ONE),
  },
  {
    name: "the index of a repository",
    seeds: async () => [await gitIndexSeed(2), await gitIndexSeed(4)],
    seal: sealed,
    async read(bytes) {
      const index = await readGitIndex(hasher, bytes, "index")
      void [index.entries.map((entry) => [entry.path, entry.mode, entry.oid]), index.extensionOids]
      joinSharedIndex(index, index, "index")
    },
  },
  {
    name: "a bitmap",
    seeds: async () => [
      Uint8Array.from([0, 0, 0, 70, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]),
    ],
    read(bytes) {
      const bitmap = ewahAt(bytes, 0)
      return bitmap && setBits(bitmap, 100_000)
    },
  },
  {
    name: "a loose object",
    seeds: async () => [await deflater.deflate(joinLoose("blob", utf8("content"))), joinLoose("tree", TREE)],
    async read(bytes) {
      void [looseHeader(bytes), splitLoose(bytes)]
      const objects = objectDatabase({
        fileSystem: withFile(`/store/objects/11/${"1".repeat(38)}`, bytes),
        hasher,
        deflater,
        objectsFolder: "/store/objects",
        limitBytes: 1 << 20,
      })
      await objects.read(ONE)
    },
  },
  {
    name: "a pack that is read from its beginning on",
    seeds: async () => [(await packSeeds()).pack],
    seal: sealed,
    async read(bytes) {
      const fileSystem = withFile("/store/objects/pack/pack-1.pack", bytes)
      const remains = new PackRemains({ fileSystem, hasher, deflater })
      try {
        const state = await auditPack({ fileSystem, hasher, deflater }, "/store/objects/pack/pack-1")
        const pack = state && (await remains.open(state))
        for (const { oid } of pack?.index.entries() ?? []) await pack?.read(oid)
        if (state !== undefined) await remains.newIndex(state)
      } finally {
        await remains.close()
      }
    },
  },
  {
    name: "packed refs",
    seeds: async () => [utf8(PACKED)],
    async read(bytes) {
      void [parsePackedRefs(lossyText(bytes)), soundLines(bytes), withoutRefs(bytes, new Set(["refs/tags/a"]))]
      const fileSystem = withFile("/store/packed-refs", bytes)
      await refStore(fileSystem, "/store", "/store/tmp").names("refs/snapshots/")
      await readRefRoots(fileSystem, "/store", () => {})
    },
  },
  {
    name: "a loose ref",
    seeds: async () => [utf8(`${ONE}\n`), utf8("ref: refs/heads/main\n")],
    async read(bytes) {
      const fileSystem = withFile("/store/refs/snapshots/w/x", bytes)
      await readRefRoots(fileSystem, "/store", () => {})
      await refStore(fileSystem, "/store", "/store/tmp").read("refs/snapshots/w/x" as RefName)
    },
  },
  {
    name: "alternates",
    seeds: async () => [utf8('# comment\n/elsewhere/objects\n../../other\n"quoted \\303\\274"\n')],
    read: (bytes) => listAlternates(withFile("/store/objects/info/alternates", bytes), "/store/objects"),
  },
  {
    name: "a manifest",
    seeds: async () => [encodeManifest({ ...PLAIN_MANIFEST, skipped: [{ path: "a", reason: "too-large" }] })],
    read: (bytes) => decodeManifest(bytes, ONE),
  },
  {
    name: "what a restore wrote down",
    seeds: async () => [await encodeRecord(hasher, RECORD as never)],
    seal: sealedRecord,
    read: (bytes) => decodeRecord(hasher, bytes),
  },
  {
    name: "the stat cache",
    seeds: async () => [await knownSeed()],
    seal: sealed,
    read: (bytes) => decodeKnown(hasher, bytes, "key"),
  },
  {
    name: "the terms of a lease",
    seeds: async () => [utf8(JSON.stringify(LEASE))],
    read: (bytes) => readLeases(withFile(`/store/leases/${LEASE.id}.json`, bytes), "/store/leases", async () => true),
  },
  {
    name: "a lock",
    seeds: async () => [utf8(JSON.stringify({ token: "a".repeat(32), createdMs: 1, owner: { pid: 1, host: "h" } }))],
    read: (bytes) =>
      takeLock({
        fileSystem: withFile("/store/locks/maintenance", bytes),
        locks: "/store/locks",
        temporary: "/store/tmp",
        name: "maintenance",
        owner: {},
        nowMs: 1,
        isAlive: async () => true,
      }),
  },
  {
    name: "a configuration of Git",
    seeds: async () => [utf8('[core]\n\tbare = true\n[treeshot]\n\tversion = 1\n[a "b\\"c"] d = "e\\n" ; f\n')],
    read: (bytes) => readGitConfig(lossyText(bytes)),
  },
  {
    name: "ignore rules",
    seeds: async () => [utf8("*.log\n!keep.log\n/a/**/b\n[!a-z]*\nfoo\\ bar\n**/deep/*.{txt\n")],
    read: (bytes) => ignorePatterns(lossyText(bytes), "dir/", true),
  },
]
