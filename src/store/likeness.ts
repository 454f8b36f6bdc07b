/*
 * Which objects are likely to differ little from which: what stands at one path in a snapshot and in the next one. The
 * older one is built on the newer one, since the newest are read most, and the oldest are let go first.
 */
import { decodeCommit } from "../core/commit.js"
import { SnapshotError } from "../core/errors.js"
import { readAs, type ObjectReader } from "../core/object.js"
import type { Oid } from "../core/oid.js"
import { readUnlike } from "../core/tree.js"
import { pauses } from "../core/turns.js"

/** Where to look. */
export interface LikenessRequest {
  readonly reader: ObjectReader
  /** The snapshots of each workspace, oldest first. */
  readonly lines: readonly (readonly Oid[])[]
  /** Whether it matters what an object is like. */
  readonly isAsked: (oid: Oid) => boolean
  readonly signal?: AbortSignal | undefined
}

/** For objects that are asked for, one that they are like, and that is asked for, too. What cannot be read is passed over. */
export async function likeness(request: LikenessRequest): Promise<ReadonlyMap<Oid, Oid>> {
  const { reader, lines, isAsked, signal } = request
  const found = new Map<Oid, Oid>()
  const seen = new Set<string>()
  const pause = pauses()
  for (const line of lines)
    for (const [i, older] of line.entries()) {
      signal?.throwIfAborted()
      await pause()
      const newer = line[i + 1]
      if (newer === undefined || !isAsked(older)) continue
      const pairs = await pairOf(reader, older, newer)
      for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
        await pause()
        const [before, after] = pair
        // What is below a tree that came with an earlier capture came with that, too.
        if (before === after || !isAsked(before) || seen.has(before + after)) continue
        seen.add(before + after)
        pairs.push(...(await below(reader, pair, found, isAsked)))
      }
    }
  return found
}

type Pair = readonly [before: Oid, after: Oid]

/** The trees of two snapshots, and of their manifests. */
async function pairOf(reader: ObjectReader, older: Oid, newer: Oid): Promise<Pair[]> {
  const [before, after] = [await treesOf(reader, older), await treesOf(reader, newer)]
  return before.flatMap((tree, i): Pair[] => {
    const other = after[i]
    return other === undefined ? [] : [[tree, other]]
  })
}

async function treesOf(reader: ObjectReader, id: Oid): Promise<Oid[]> {
  const trees: Oid[] = []
  for (let at: Oid | undefined = id; at !== undefined && trees.length < 2;) {
    const bytes: Uint8Array | undefined = await unlessDamaged(readAs(reader, at, "commit"))
    if (bytes === undefined) break
    const { tree, parents } = decodeCommit(bytes, at)
    trees.push(tree)
    at = parents[0]
  }
  return trees
}

/** Notes what two trees and their files are like; gives the folders that are in both. */
async function below(
  reader: ObjectReader,
  [before, after]: Pair,
  found: Map<Oid, Oid>,
  isAsked: (oid: Oid) => boolean,
): Promise<Pair[]> {
  const note = (oid: Oid, like: Oid): void => {
    if (oid !== like && isAsked(oid) && isAsked(like) && !found.has(oid)) found.set(oid, like)
  }
  note(before, after)
  const unlike = await unlessDamaged(readUnlike(reader, before, after))
  if (unlike === undefined) return []
  const [left, right] = unlike
  const byName = new Map(right.map((entry) => [entry.name, entry]))
  return left.flatMap(({ name, mode, oid }): Pair[] => {
    const other = byName.get(name)
    if (other === undefined || (mode === "40000") !== (other.mode === "40000")) return []
    if (mode === "40000") return [[oid, other.oid]]
    note(oid, other.oid)
    return []
  })
}

async function unlessDamaged<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof SnapshotError) return undefined
    throw error
  }
}
