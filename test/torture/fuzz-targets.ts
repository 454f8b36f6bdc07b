/*
 * The parsers that read what others may have written, each with something whole to start from.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { lossyText, utf8 } from "../../src/core/bytes.js"
import { decodeCommit, encodeCommit } from "../../src/core/commit.js"
import { applyDelta } from "../../src/core/delta.js"
import { readGitConfig } from "../../src/core/git-config.js"
import { readGitIndex } from "../../src/core/git-index.js"
import { decodeManifest, encodeManifest, PLAIN_MANIFEST } from "../../src/core/manifest.js"
import { hashObject } from "../../src/core/object.js"
import { EMPTY_TREE, type Oid } from "../../src/core/oid.js"
import { parsePackIndex } from "../../src/core/pack-index.js"
import type { Workspace } from "../../src/core/ref-name.js"
import { decodeRecord, snapshotCommit } from "../../src/core/snapshot-commit.js"
import { tagTarget } from "../../src/core/tag.js"
import { decodeTree, encodeTree } from "../../src/core/tree.js"
import { nodeHasher } from "../../src/platform/node/node-hasher.js"
import { objectDatabase } from "../../src/store/object-database.js"
import { parsePackedRefs } from "../../src/store/packed-refs.js"
import { ignorePatterns } from "../../src/tree/ignore-pattern.js"
import { craftPack, encodeDelta } from "../support/crafted-pack.js"
import { git } from "../support/git.js"
import { CHECK, newMemory } from "../support/store-on.js"

/** A parser. */
export interface FuzzTarget {
  readonly name: string
  readonly whole: Uint8Array
  /** The bytes end with a SHA-1 of what comes before. */
  readonly summed?: boolean
  /** Reads `bytes` to their end; throws SnapshotError where they make no sense. */
  parse(bytes: Uint8Array): unknown
}

const OID = "0123456789abcdef0123456789abcdef01234567" as Oid
const hasher = nodeHasher()

/** `folder` is empty; a repository is made in it. */
export async function fuzzTargets(folder: string): Promise<readonly FuzzTarget[]> {
  const packed = await packTarget()
  return [
    { name: "pack index", whole: packed.index, summed: true, parse: parseIndex },
    packed.target,
    { name: "delta", whole: DELTA, parse: (bytes) => applyDelta(BASE, bytes) },
    { name: "tree", whole: TREE, parse: (bytes) => decodeTree(bytes, OID) },
    { name: "commit", whole: COMMIT, parse: (bytes) => decodeRecord(decodeCommit(bytes, OID).message) },
    { name: "manifest", whole: MANIFEST, parse: (bytes) => decodeManifest(bytes, OID) },
    {
      name: "tag",
      whole: utf8(`object ${OID}\ntype commit\ntag v1\n\nnote\n`),
      parse: (bytes) => tagTarget(bytes, OID),
    },
    {
      name: "git index",
      whole: gitIndex(folder),
      summed: true,
      parse: (bytes) => readGitIndex(hasher, bytes, "index"),
    },
    { name: "git config", whole: utf8(CONFIG), parse: (bytes) => readGitConfig(lossyText(bytes)) },
    { name: "packed refs", whole: utf8(PACKED_REFS), parse: (bytes) => parsePackedRefs(lossyText(bytes)) },
    { name: "ignore rules", whole: utf8(IGNORE), parse: (bytes) => ignorePatterns(lossyText(bytes), "dir/", true) },
  ]
}

async function parseIndex(bytes: Uint8Array): Promise<unknown> {
  const index = await parsePackIndex(hasher, bytes, "index")
  return index === undefined ? undefined : [...index.entries()]
}

/** A pack with a whole object and a chain of two deltas; of what was changed, no object is given that is not what it is called. */
async function packTarget(): Promise<{ readonly target: FuzzTarget; readonly index: Uint8Array }> {
  const first = encodeDelta(BASE.length, 100, [{ copy: [0, 60] }, { copy: [20, 40] }])
  const result = applyDelta(BASE, first) ?? BASE
  const second = encodeDelta(result.length, 50, [{ copy: [0, 40] }, { insert: utf8("0123456789") }])
  const last = applyDelta(result, second) ?? BASE
  const [baseOid, resultOid, lastOid] = [
    await hashObject(hasher, "blob", BASE),
    await hashObject(hasher, "blob", result),
    await hashObject(hasher, "blob", last),
  ]
  const { pack, index } = await craftPack([
    { oid: baseOid, header: { type: "blob", sizeBytes: BASE.length }, content: BASE },
    { oid: resultOid, header: { type: "ref-delta", base: baseOid, sizeBytes: first.length }, content: first },
    { oid: lastOid, header: { type: "ref-delta", base: resultOid, sizeBytes: second.length }, content: second },
  ])
  const parse = async (bytes: Uint8Array): Promise<void> => {
    const { disk, fileSystem } = newMemory()
    disk.fs.mkdirSync("/objects/pack", { recursive: true })
    disk.fs.writeFileSync("/objects/pack/pack-x.pack", bytes)
    // The index names the pack by its checksum, and would leave it aside otherwise.
    const named = Buffer.concat([index.subarray(0, -40), bytes.subarray(-20)])
    disk.fs.writeFileSync("/objects/pack/pack-x.idx", Buffer.concat([named, createHash("sha1").update(named).digest()]))
    const objects = objectDatabase({ ...CHECK, fileSystem, objectsFolder: "/objects" })
    try {
      for (const oid of [baseOid, resultOid, lastOid]) {
        const object = await objects.read(oid)
        if (object !== undefined && (await hashObject(hasher, object.type, object.bytes)) !== oid)
          throw new Error(`${oid} was given with other bytes`)
      }
    } finally {
      await objects.close()
    }
  }
  return { target: { name: "pack", whole: pack, summed: true, parse }, index }
}

function gitIndex(folder: string): Uint8Array {
  for (const name of ["a", "b", "c"]) {
    mkdirSync(join(folder, name), { recursive: true })
    writeFileSync(join(folder, name, "file.txt"), name)
  }
  git(["init", "-q", "-b", "main"], { cwd: folder })
  git(["add", "."], { cwd: folder })
  git(["commit", "-qm", "first"], { cwd: folder })
  return readFileSync(join(folder, ".git/index"))
}

const BASE = utf8("0123456789".repeat(10))
const DELTA = encodeDelta(BASE.length, 120, [{ copy: [0, 60] }, { insert: utf8("0123456789") }, { copy: [50, 50] }])
const TREE = encodeTree([
  { name: "a.txt", mode: "100644", oid: OID },
  { name: "dir", mode: "40000", oid: EMPTY_TREE },
  { name: "link", mode: "120000", oid: OID },
])
const COMMIT = encodeCommit(
  snapshotCommit(
    {
      kind: "capture",
      workspace: "project" as Workspace,
      createdMs: 1_600_000_000_000,
      skipped: 1,
      metadata: { key: "value" },
      label: "a label",
      nonce: "0123456789abcdef",
    },
    EMPTY_TREE,
    OID,
  ),
)
const MANIFEST = encodeManifest({ ...PLAIN_MANIFEST, emptyFolders: ["a"] })
const CONFIG = '[core]\n\tbare = true\n[treeshot]\n\tversion = 1\n[remote "a\\"b"]\n\turl = x \\\n y ; comment\n'
const PACKED_REFS = `# pack-refs with: peeled fully-peeled sorted \n${OID} refs/tags/v1\n^${OID}\n${OID} refs/snapshots/p/x\n`
const IGNORE = "*.log\n!keep.log\n/a/**/b\n[!a-z]*\nfoo\\ bar\n**/deep/*.{txt\n"
