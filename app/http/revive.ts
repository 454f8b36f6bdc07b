/*
 * JSON has no dates: they come as text. Only the contract's own fields are read so, since metadata may have any names.
 */
import type {
  CaptureResult,
  KeptSnapshot,
  PruneReport,
  RemovedSnapshot,
  RestoreReport,
  Snapshot,
  StoreStatus,
} from "../../src/snapshot-store.js"

/** What `Value` is as JSON. */
export type Json<Value> = Value extends Date
  ? string
  : Value extends object
    ? { readonly [Name in keyof Value]: Json<Value[Name]> }
    : Value

export function reviveSnapshot<Shape extends Snapshot>(json: Json<Shape>): Shape {
  const { createdAt } = json as Json<Snapshot>
  return { ...json, createdAt: new Date(createdAt) } as unknown as Shape
}

export function reviveCapture(json: Json<CaptureResult>): CaptureResult {
  return { ...json, snapshot: reviveSnapshot(json.snapshot) } as CaptureResult
}

export function reviveReport(json: Json<RestoreReport>): RestoreReport {
  const { undo, ...rest } = json
  return (undo === undefined ? rest : { ...rest, undo: reviveSnapshot(undo) }) as RestoreReport
}

export function revivePrune(json: Json<PruneReport>): PruneReport {
  const removed = json.removed.map((one) => reviveSnapshot<RemovedSnapshot>(one))
  const kept = json.kept.map((one) => reviveSnapshot<KeptSnapshot>(one))
  return { ...json, removed, kept }
}

export function reviveStatus(json: Json<StoreStatus>): StoreStatus {
  const { oldest, newest, maintainedAt, ...rest } = json
  return {
    ...rest,
    ...(oldest === undefined ? {} : { oldest: new Date(oldest) }),
    ...(newest === undefined ? {} : { newest: new Date(newest) }),
    ...(maintainedAt === undefined ? {} : { maintainedAt: new Date(maintainedAt) }),
  } as StoreStatus
}
