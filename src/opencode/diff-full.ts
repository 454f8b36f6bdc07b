import { lossyText } from "../core/bytes.js"
import type { FileDiff as StoreFileDiff, SnapshotStore } from "../snapshot-store.js"
import type { Place } from "./place.js"
import { requireHash } from "./snapshot-of.js"
import { visibleChanges } from "./visible-changes.js"

/** A file that differs between two trees. */
export interface FileDiff {
  /** Relative to the work tree, with forward slashes. */
  readonly file: string
  /** The whole text, "" where there is no such side, and for binaries. */
  readonly before: string
  readonly after: string
  /** The file's part of a Git patch, with all of its lines as context; "" for binaries. */
  readonly patch: string
  /** Lines; 0 for binaries. */
  readonly additions: number
  readonly deletions: number
  readonly status: "added" | "deleted" | "modified"
}

/** What changed from one tree to another, sorted by path. NOT_FOUND for a hash that does not exist. */
export async function diffFull(place: Place, from: string, to: string): Promise<FileDiff[]> {
  const { store, filter, closing } = place
  const options = { ...filter, context: Number.MAX_SAFE_INTEGER, signal: closing }
  const changes = await store.diff(requireHash(from), requireHash(to), options)
  const files: FileDiff[] = []
  for (const change of await visibleChanges(place, from, changes)) files.push(await fileDiff(store, from, to, change))
  return files
}

async function fileDiff(store: SnapshotStore, from: string, to: string, change: StoreFileDiff): Promise<FileDiff> {
  const { path, status, binary, additions, deletions, patch } = change
  const text = async (rev: string, isThere: boolean): Promise<string> =>
    binary || !isThere ? "" : lossyText((await store.readFile(rev, path)) ?? new Uint8Array())
  return {
    file: path,
    before: await text(from, change.before !== undefined),
    after: await text(to, change.after !== undefined),
    patch: binary ? "" : patch,
    additions,
    deletions,
    status: status === "typechange" ? "modified" : status,
  }
}
