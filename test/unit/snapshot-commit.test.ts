import fc from "fast-check"
import { expect, test } from "vitest"
import { decodeCommit, encodeCommit } from "../../src/core/commit.js"
import { SnapshotError } from "../../src/core/errors.js"
import { decodeManifest, encodeManifest, isPlain, PLAIN_MANIFEST, type Manifest } from "../../src/core/manifest.js"
import type { Oid } from "../../src/core/oid.js"
import type { Workspace } from "../../src/core/ref-name.js"
import {
  decodeRecord,
  manifestCommit,
  refOf,
  snapshotCommit,
  type SnapshotRecord,
} from "../../src/core/snapshot-commit.js"
import { utf8 } from "../../src/core/bytes.js"

const ID = "0123456789abcdef0123456789abcdef01234567" as Oid

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    "",
    "\n",
    "\n\n",
    "Treeshot-Kind: safety",
    "x\n\nTreeshot-Time: 1\n",
    "\r\n",
    "\u2028",
    "\ud800",
    " ",
    "\0",
  ),
)

const record: fc.Arbitrary<SnapshotRecord> = fc.record(
  {
    kind: fc.constantFrom("capture", "safety"),
    workspace: fc.stringMatching(/^[a-z0-9-]{1,64}$/).map((name) => name as Workspace),
    createdMs: fc.integer({ min: 0, max: 253402300799999 }),
    skipped: fc.nat(),
    previous: fc.constant(ID),
    target: fc.constant(ID),
    scope: fc.stringMatching(/^[0-9a-f]{16}$/),
    label: text,
    metadata: fc.dictionary(text, text, { maxKeys: 4 }).map((one) => ({ ...one })),
    nonce: fc.stringMatching(/^[0-9a-f]{16}$/),
  },
  { requiredKeys: ["kind", "workspace", "createdMs", "skipped", "metadata", "nonce"] },
)

test("a snapshot's commit says exactly what was put into it, whatever label and metadata hold", () => {
  fc.assert(
    fc.property(record, (one) => {
      const commit = snapshotCommit(one, ID, undefined)
      const read = decodeCommit(encodeCommit(commit), ID)
      expect(read).toEqual(commit)
      expect(decodeRecord(read.message)).toEqual(one)
    }),
    { numRuns: 300 },
  )
})

test("the first line of a snapshot's message is one line for people", () => {
  fc.assert(
    fc.property(record, (one) => {
      const [subject, empty] = snapshotCommit(one, ID, undefined).message.split("\n")
      expect(subject).toMatch(/\S/)
      expect(subject?.length).toBeLessThanOrEqual(72)
      expect(subject).not.toMatch(/^Treeshot-|\p{Cc}/u)
      expect(empty).toBe("")
    }),
  )
})

test("the manifest is the only parent, and the commit of an equal manifest is equal", () => {
  fc.assert(
    fc.property(record, (one) => {
      expect(snapshotCommit(one, ID, ID).parents).toEqual([ID])
      expect(snapshotCommit(one, ID, ID).seconds).toBe(Math.floor(one.createdMs / 1000))
    }),
  )
  expect(manifestCommit(ID)).toEqual(manifestCommit(ID))
  expect(manifestCommit(ID)).toMatchObject({ parents: [], seconds: 0 })
})

test("the ref follows from workspace, time and nonce", () => {
  const one = {
    kind: "capture",
    workspace: "desk" as Workspace,
    createdMs: 1_700_000_000_123,
    skipped: 0,
    metadata: {},
  } as const
  expect(refOf({ ...one, nonce: "00ff00ff00ff00ff" })).toBe("refs/snapshots/desk/20231114T221320123Z-00ff00ff00ff00ff")
})

test.each([
  ["", "an ordinary commit\n"],
  ["no kind", "x\n\nTreeshot-Workspace: a\nTreeshot-Time: 1\nTreeshot-Nonce: 0123456789abcdef\n"],
  [
    "another kind",
    "x\n\nTreeshot-Kind: x\nTreeshot-Workspace: a\nTreeshot-Time: 1\nTreeshot-Nonce: 0123456789abcdef\n",
  ],
  ["no time", "x\n\nTreeshot-Kind: capture\nTreeshot-Workspace: a\nTreeshot-Nonce: 0123456789abcdef\n"],
  [
    "a time beyond all years",
    "x\n\nTreeshot-Kind: capture\nTreeshot-Workspace: a\nTreeshot-Time: 999999999999999\nTreeshot-Nonce: 0123456789abcdef\n",
  ],
  [
    "a workspace that climbs",
    "x\n\nTreeshot-Kind: capture\nTreeshot-Workspace: ../a\nTreeshot-Time: 1\nTreeshot-Nonce: 0123456789abcdef\n",
  ],
  [
    "a nonce that climbs",
    "x\n\nTreeshot-Kind: capture\nTreeshot-Workspace: a\nTreeshot-Time: 1\nTreeshot-Nonce: ../../x\n",
  ],
  [
    "metadata of numbers",
    'x\n\nTreeshot-Kind: capture\nTreeshot-Workspace: a\nTreeshot-Time: 1\nTreeshot-Metadata: {"a":1}\nTreeshot-Nonce: 0123456789abcdef\n',
  ],
  [
    "metadata that is cut",
    'x\n\nTreeshot-Kind: capture\nTreeshot-Workspace: a\nTreeshot-Time: 1\nTreeshot-Metadata: {"a\nTreeshot-Nonce: 0123456789abcdef\n',
  ],
])("a message with %s is no snapshot's", (_, message) => {
  expect(decodeRecord(message)).toBeUndefined()
})

const manifest: fc.Arbitrary<Manifest> = fc.record({
  skipped: fc.uniqueArray(fc.record({ path: text, reason: fc.constantFrom("too-large", "unreadable") }), {
    selector: ({ path }) => path,
    maxLength: 4,
  }),
  include: fc.array(text, { maxLength: 2 }),
  exclude: fc.array(text, { maxLength: 2 }),
  newFileLimitBytes: fc.nat(),
  ignoreSources: fc.array(fc.record({ origin: text, base: text, text }), { maxLength: 2 }),
  rulesUnread: fc.array(text, { maxLength: 2 }),
  ignoreFiles: fc.dictionary(text, text, { maxKeys: 3 }).map((one) => ({ ...one })),
  ignorePrefix: text,
  ignoreCase: fc.boolean(),
  emptyFolders: fc.uniqueArray(text, { maxLength: 3 }).map((list) => list.toSorted()),
  permissions: fc.record({
    file: fc.nat(0o777),
    executable: fc.nat(0o777),
    folder: fc.nat(0o777),
    exceptions: fc.dictionary(text, fc.nat(0o777), { maxKeys: 3 }).map((one) => ({ ...one })),
  }),
})

test("a manifest that is written and read is the same", () => {
  fc.assert(
    fc.property(manifest, (one) => {
      const sorted = { ...one, skipped: one.skipped.toSorted((a, b) => (a.path < b.path ? -1 : 1)) }
      expect(decodeManifest(encodeManifest(one), ID)).toEqual(sorted)
    }),
    { numRuns: 200 },
  )
})

test("equal manifests are equal bytes, in whatever order they were gathered", () => {
  fc.assert(
    fc.property(manifest, (one) => {
      const turned = {
        ...one,
        skipped: one.skipped.toReversed(),
        emptyFolders: one.emptyFolders.toReversed(),
        ignoreFiles: Object.fromEntries(Object.entries(one.ignoreFiles).reverse()),
      }
      expect(encodeManifest(turned)).toEqual(encodeManifest(one))
    }),
  )
})

test("a manifest is plain only when nothing was left out and no rule from outside counted", () => {
  expect(isPlain(PLAIN_MANIFEST)).toBe(true)
  expect(isPlain({ ...PLAIN_MANIFEST, newFileLimitBytes: 7 })).toBe(true)
  const marks: Partial<Manifest>[] = [
    { skipped: [{ path: "a", reason: "too-large" }] },
    { include: ["a"] },
    { exclude: ["a"] },
    { ignoreSources: [{ origin: "a", base: "", text: "x" }] },
    { ignoreFiles: { "": "x" } },
    { ignorePrefix: "a" },
    { ignoreCase: true },
    { emptyFolders: ["a"] },
    { permissions: { ...PLAIN_MANIFEST.permissions, exceptions: { a: 0o600 } } },
    { permissions: { ...PLAIN_MANIFEST.permissions, file: 0o600 } },
  ]
  for (const mark of marks) expect(isPlain({ ...PLAIN_MANIFEST, ...mark }), JSON.stringify(mark)).toBe(false)
})

test("bytes that are no manifest, or lack a part of one, are OBJECT_CORRUPT", () => {
  const broken: unknown[] = [null, [], "x", 7, {}]
  for (const key of Object.keys(PLAIN_MANIFEST)) {
    broken.push(
      { ...PLAIN_MANIFEST, [key]: undefined },
      { ...PLAIN_MANIFEST, [key]: null },
      { ...PLAIN_MANIFEST, [key]: [7] },
    )
  }
  broken.push({ ...PLAIN_MANIFEST, permissions: { ...PLAIN_MANIFEST.permissions, exceptions: { a: "x" } } })
  const texts = [
    ...broken.map((value) => utf8(JSON.stringify(value))),
    utf8("{"),
    new Uint8Array(),
    Uint8Array.of(0xff),
  ]
  const error = expect.objectContaining({ code: "OBJECT_CORRUPT", details: { oid: ID } })
  for (const bytes of texts) {
    expect(() => decodeManifest(bytes, ID), Buffer.from(bytes).toString()).toThrow(SnapshotError)
    expect(() => decodeManifest(bytes, ID)).toThrow(error)
  }
})
