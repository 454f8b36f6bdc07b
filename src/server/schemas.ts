/*
 * The contract's options and results as schemas, which check what is sent and describe what is answered. Each is declared
 * with the contract's own type, so that the compiler finds where they differ.
 */
import { z } from "@hono/zod-openapi"
import type * as contract from "../snapshot-store.js"
import { Count, Oid, Path, Rev, Text, Time } from "./schema-basics.js"
import type { Wire } from "./wire.js"

/** The schema of a type of the contract. */
type SchemaOf<Value> = z.ZodType<Wire<Value>>

const Bytes = Count.openapi({ description: "Bytes" })
const Metadata = z.record(z.string(), z.string())

const snapshot = {
  id: Oid,
  tree: Oid,
  ref: Text,
  label: Text.optional(),
  metadata: Metadata,
  createdAt: Time,
  kind: z.enum(["capture", "safety"]),
  complete: z.boolean(),
  pinned: z.boolean(),
  previous: Oid.optional(),
}

export const Snapshot: SchemaOf<contract.Snapshot> = z.strictObject(snapshot).openapi("Snapshot")

const Skipped: SchemaOf<contract.Skipped> = z
  .strictObject({
    path: Text,
    reason: z.enum(["too-large", "unreadable", "changed-while-reading", "special-file", "unsafe-name"]),
  })
  .openapi("Skipped")

export const CaptureRequest: SchemaOf<Pick<contract.CaptureOptions, "label" | "metadata">> = z
  .strictObject({ label: Text.optional(), metadata: Metadata.optional() })
  .openapi("CaptureRequest")

export const CaptureResult: SchemaOf<contract.CaptureResult> = z
  .strictObject({
    snapshot: Snapshot,
    changed: z.boolean(),
    skipped: z.array(Skipped),
    stats: z.strictObject({
      filesScanned: Count,
      filesRead: Count,
      bytesRead: Bytes,
      objectsWritten: Count,
      bytesWritten: Bytes,
      durationMs: z.number(),
      seedProblem: Text.optional(),
    }),
  })
  .openapi("CaptureResult")

export const SnapshotSummary: SchemaOf<contract.SnapshotSummary> = z
  .strictObject({ filesChanged: Count, bytesChanged: Bytes, against: Oid.optional() })
  .openapi("SnapshotSummary")

const FileVersion: SchemaOf<contract.FileVersion> = z
  .strictObject({
    mode: z.enum(["100644", "100755", "120000", "40000", "160000"]),
    oid: Oid,
    permissions: Count.optional(),
  })
  .openapi("FileVersion")

const change = {
  path: Text,
  status: z.enum(["added", "deleted", "modified", "typechange"]),
  before: FileVersion.optional(),
  after: FileVersion.optional(),
}

export const Change: SchemaOf<contract.Change> = z.strictObject(change).openapi("Change")

export const FileDiff: SchemaOf<contract.FileDiff> = z
  .strictObject({ ...change, additions: Count, deletions: Count, binary: z.boolean(), patch: Text })
  .openapi("FileDiff")

export const RestoreTarget: SchemaOf<contract.RestoreTarget> = z
  .union([
    z.strictObject({ to: Rev }),
    z.strictObject({ revert: z.strictObject({ from: Rev, to: Rev }) }),
    z.strictObject({ undo: z.literal(true) }),
    z.strictObject({ redo: z.literal(true) }),
  ])
  .openapi("RestoreTarget")

const filter = { paths: z.array(Path).optional(), globs: z.array(Path).optional() }
const restore = { ...filter, added: z.enum(["remove", "keep"]).optional() }

export const DiffRequest: SchemaOf<Pick<contract.DiffOptions, "paths" | "globs" | "context"> & Sides> = z
  .strictObject({ from: Rev, to: Rev.optional(), ...filter, context: Count.optional() })
  .openapi("DiffRequest")

interface Sides {
  readonly from: string
  readonly to?: string
}

export const RestoreOptions: SchemaOf<Omit<contract.RestoreOptions, "signal" | "onProgress">> = z
  .strictObject(restore)
  .openapi("RestoreOptions")

export const RevertOptions: SchemaOf<Omit<contract.RevertOptions, "signal" | "onProgress">> = z
  .strictObject({ ...restore, merge: z.boolean().optional() })
  .openapi("RevertOptions")

const PlannedChange: SchemaOf<contract.PlannedChange> = z
  .strictObject({
    path: Text,
    before: FileVersion.optional(),
    after: FileVersion.optional(),
    merged: z.literal(true).optional(),
  })
  .openapi("PlannedChange")

const Keep: SchemaOf<contract.Keep> = z
  .strictObject({
    path: Text,
    reason: z.enum(["ignored", "was-ignored", "was-skipped", "unreadable", "special-file", "added", "conflict"]),
    ours: Oid.optional(),
    theirs: Oid.optional(),
  })
  .openapi("Keep")

export const RestorePlan: SchemaOf<contract.RestorePlan> = z
  .strictObject({
    target: RestoreTarget,
    tree: Oid,
    base: Oid,
    writes: z.array(PlannedChange),
    deletes: z.array(PlannedChange),
    keeps: z.array(Keep),
  })
  .openapi("RestorePlan")

const Outcome: SchemaOf<contract.Outcome> = z
  .strictObject({
    path: Text,
    action: z.enum(["written", "merged", "deleted", "kept", "failed"]),
    reason: Text.optional(),
    aside: Text.optional(),
    ours: Oid.optional(),
    theirs: Oid.optional(),
  })
  .openapi("Outcome")

export const RestoreReport: SchemaOf<contract.RestoreReport> = z
  .strictObject({ undo: Snapshot.optional(), outcomes: z.array(Outcome), complete: z.boolean() })
  .openapi("RestoreReport")

export const RetentionPolicy: SchemaOf<contract.RetentionPolicy> = z
  .strictObject({
    keepLast: Count.optional(),
    keepWithinMs: Count.optional(),
    keepHourly: Count.optional(),
    keepDaily: Count.optional(),
    keepWeekly: Count.optional(),
    maxBytes: Count.optional(),
  })
  .openapi("RetentionPolicy")

const KeptReason: z.ZodType<contract.KeptReason> = z.enum([
  "last",
  "within",
  "hourly",
  "daily",
  "weekly",
  "fits",
  "newest",
  "recent-safety",
  "pinned",
  "held",
  "locked",
])

export const PruneReport: SchemaOf<contract.PruneReport> = z
  .strictObject({
    removed: z.array(z.strictObject({ ...snapshot, reason: z.enum(["no-rule", "max-bytes"]) })),
    kept: z.array(z.strictObject({ ...snapshot, reasons: z.array(KeptReason) })),
    adopted: z.array(Oid),
    bytesFreed: Bytes,
    bytesOver: Bytes.optional(),
  })
  .openapi("PruneReport")

export const VerifyReport: SchemaOf<contract.VerifyReport> = z
  .strictObject({
    ok: z.boolean(),
    snapshots: Count,
    objects: Count,
    problems: z.array(
      z.strictObject({
        oid: Text,
        problem: z.enum(["missing", "corrupt"]),
        file: Text.optional(),
        snapshots: z.array(Text),
      }),
    ),
    repaired: z.array(Text),
    setAside: z.array(Text),
  })
  .openapi("VerifyReport")

export const MaintainReport: SchemaOf<contract.MaintainReport> = z
  .strictObject({
    objectsRemoved: Count,
    bytesFreed: z.int(),
    packsRemoved: Count,
    packsWritten: Count,
    objectsTakenOver: Count,
    refsPacked: Count,
    adopted: Count,
  })
  .openapi("MaintainReport")

export const StoreStatus: SchemaOf<contract.StoreStatus> = z
  .strictObject({
    worktree: Text,
    gitdir: Text,
    workspace: Text,
    snapshots: z.strictObject({ captures: Count, safety: Count, pinned: Count }),
    otherWorkspaces: Count,
    oldest: Time.optional(),
    newest: Time.optional(),
    bytes: z.strictObject({
      total: Bytes,
      packs: Bytes,
      loose: Bytes,
      caches: Bytes,
      other: Bytes,
      shared: Bytes,
    }),
    packs: Count,
    reclaimable: Bytes,
    maintainedAt: Time.optional(),
    leftovers: z.array(Text),
  })
  .openapi("StoreStatus")
